"""The journal of a space: which sources are in it, and whether all that their loads had to do is done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pgaudience.database import Connection
from pgaudience.errors import PgaudienceError
from pgaudience.reading import Source

_LAST = """
select l.load_key, l.loaded_at, l.finished_at is not null
from loads l
where l.digest = %s
order by l.load_key desc
limit 1
"""

_RECORD = """
insert into loads (source, digest, mode, rows_read, rows_rejected)
values (%s, %s, %s, %s, %s)
returning load_key
"""

_FINISH = "update loads l set finished_at = now() where l.load_key = any (%s) and l.finished_at is null"


@dataclass(frozen=True, slots=True)
class Read:
    """A source that was read, its rows accepted and all of them."""

    name: str
    digest: bytes
    rows: int
    accepted: int


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A source whose rows are in the space, by a load that did not come to its end."""

    name: str
    load_key: int
    loaded_at: datetime


class UnfinishedError(Exception):
    """A source turns out to be unfinished only when it is read, as a query does."""

    def __init__(self, found: Unfinished) -> None:
        super().__init__(found.name)
        self.found = found


def split(connection: Connection, sources: Iterable[Source]) -> tuple[list[Source], list[Unfinished]]:
    """Tell the sources that are to be read from those whose rows are in.

    Raises PgaudienceError for a source whose load came to its end: it would count twice.
    """
    waiting, unfinished = list[Source](), list[Unfinished]()
    for source in sources:
        found = _find(connection, source.name, source.digest()) if source.is_known else None
        if found is None:
            waiting.append(source)
        else:
            unfinished.append(found)
    return waiting, unfinished


def refuse_loaded(connection: Connection, read: Sequence[Read]) -> None:
    """Raise PgaudienceError for a source that is in the space; the lock that the keys took keeps other loads from it.

    Raises UnfinishedError where the load of it did not come to its end.
    """
    for source in read:
        found = _find(connection, source.name, source.digest)
        if found is not None:
            raise UnfinishedError(found)


def refuse_repeated(read: Sequence[Read]) -> None:
    """Raise PgaudienceError for a content that is there twice."""
    names: dict[bytes, str] = {}
    for source in read:
        if source.digest in names:
            raise PgaudienceError(
                f"{source.name} has the same content as {names[source.digest]}, and would count twice",
                "Name each file once, or use --force to count it twice.",
            )
        names[source.digest] = source.name


def record(connection: Connection, read: Sequence[Read], mode: str) -> list[int]:
    """Write down what was loaded; return the keys of these rows, which wait for `finish`."""
    return [
        row[0]
        for source in read
        for row in connection.execute(
            _RECORD, [source.name, source.digest, mode, source.rows, source.rows - source.accepted]
        )
    ]


def finish(connection: Connection, load_keys: Sequence[int]) -> None:
    """Write down that nothing is left to do for these loads."""
    with connection.transaction():
        connection.execute(_FINISH, [list(load_keys)])


def _find(connection: Connection, name: str, digest: bytes) -> Unfinished | None:
    last = connection.execute(_LAST, [digest]).fetchone()
    if last is None:
        return None
    load_key, loaded_at, is_finished = last
    if is_finished:
        raise PgaudienceError(
            f"{name} was loaded before, on {loaded_at:%Y-%m-%d %H:%M}, and would count twice",
            "Its rows are in the space, and nothing is left to do. If all of it happened once more: --force",
        )
    return Unfinished(name, load_key, loaded_at)
