"""One load: sources into the space, whole or not at all."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pgaudience.database import Connection
from pgaudience.errors import PgaudienceError
from pgaudience.loading.entries import EntryStaging, MergedEntries
from pgaudience.loading.merge import Merged, Mode, merge
from pgaudience.loading.staging import Staging
from pgaudience.progress import progress
from pgaudience.reading import Described, Source

_LOADED_BEFORE = "select max(loaded_at) from loads where digest = %s"

_JOURNAL = """
insert into loads (source, digest, mode, rows_read, rows_rejected)
values (%s, %s, %s, %s, %s)
"""


@dataclass(frozen=True, slots=True)
class _Read:
    name: str
    digest: bytes
    rows: int
    accepted: int


def load(
    connection: Connection,
    sources: Iterable[Source],
    *,
    users: Iterable[Described] = (),
    entries: Iterable[Described] = (),
    mode: Mode = "replace",
    force: bool = False,
) -> Merged:
    """Load activity and the attributes of users and entries in one transaction, which is committed here.

    In mode `replace` the sources together are the truth for the users they hold: loading them again changes nothing.
    In mode `add` they are increments, and a source whose content was loaded before is refused unless `force`.

    Raises PgaudienceError, with nothing loaded, for such a source, in a space whose people are those of another one,
    and, in strict reading, at the first bad row.
    """
    with connection.transaction():
        _refuse_derived(connection)
        staging = Staging(connection)
        read = [_stage(staging, source) for source in sources]
        for chunk in users:
            staging.add_users(chunk)
        staging.finish()
        if not force:
            _refuse_repeated(read)
            if mode == "add":
                _refuse_loaded_before(connection, read)
        with progress("Merging", None, "rows") as shown:
            merged = merge(connection, staging, mode)
            shown.advance(sum(source.accepted for source in read))
        described = _describe(connection, entries, mode)
        for source in read:
            connection.execute(_JOURNAL, [source.name, source.digest, mode, source.rows, source.rows - source.accepted])
    return replace(merged, entries=described)


def _refuse_derived(connection: Connection) -> None:
    (base,) = connection.execute("select base from space").fetchone() or (None,)
    if base is not None:
        raise PgaudienceError(
            f"this space has the people of {base!r}, so nothing is loaded here",
            f"Load there: pgaudience --schema {shlex.quote(base)} load …; then: pgaudience refresh --all",
        )


def _describe(connection: Connection, entries: Iterable[Described], mode: Mode) -> MergedEntries:
    staging = None
    for chunk in entries:
        staging = staging or EntryStaging(connection)
        staging.add(chunk)
    return staging.merge(mode) if staging else MergedEntries()


def _stage(staging: Staging, source: Source) -> _Read:
    rows = accepted = consumed = 0
    with progress(f"Reading {source.name}", source.size, "bytes") as shown:
        for chunk in source.chunks():
            staging.add(chunk, source.columns.attributes)
            rows += chunk.rows
            accepted += len(chunk.users)
            shown.advance(chunk.consumed - consumed)
            consumed = chunk.consumed
    return _Read(source.name, source.digest(), rows, accepted)


def _refuse_repeated(read: list[_Read]) -> None:
    names: dict[bytes, str] = {}
    for source in read:
        if source.digest in names:
            raise PgaudienceError(
                f"{source.name} has the same content as {names[source.digest]}, and would count twice",
                "Name each file once, or use --force to count it twice.",
            )
        names[source.digest] = source.name


def _refuse_loaded_before(connection: Connection, read: list[_Read]) -> None:
    """Raise PgaudienceError for a source of the journal; the lock that the keys took keeps other loads from it."""
    for source in read:
        (loaded_at,) = connection.execute(_LOADED_BEFORE, [source.digest]).fetchone() or (None,)
        if loaded_at is not None:
            raise PgaudienceError(
                f"{source.name} was loaded before, on {loaded_at:%Y-%m-%d %H:%M}, and would count twice",
                "Use --mode replace to make it the truth for its users, or --force to add it once more.",
            )
