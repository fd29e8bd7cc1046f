"""Write the members of an audience to a file, or who came and left since the last time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from pgaudience.errors import PgaudienceError
from pgaudience.exporting.contacts import Contacts
from pgaudience.exporting.writers import Row, open_writer

Connection = psycopg.Connection[tuple[Any, ...]]

ROWS_AT_ONCE = 20_000

MEMBER = {"user_id": "text", "rank": "bigint", "score": "double precision", "reasons": "text[]"}
"""What can be said of a member, with its type."""

CHANGE = {"user_id": "text", "change": "text", "changed_at": "timestamptz"}
"""What can be said of a change."""

_NAMES = "select audience from audiences order by audience"

_MEMBERS = """
select null::bigint, m.user_id, m.rank, m.score, m.reasons, null, null, array(
    select u.attributes ->> a.name from unnest(%(attributes)s::text[]) with ordinality a (name, n) order by a.n
)
from audience_members m
left join users u using (user_id)
where m.audience = %(audience)s
order by m.rank, m.user_id
"""

_CHANGES = """
select c.change_id, c.user_id, m.rank, m.score, m.reasons, c.change, c.changed_at, array(
    select u.attributes ->> a.name from unnest(%(attributes)s::text[]) with ordinality a (name, n) order by a.n
)
from read_changes(%(audience)s, %(cursor)s) c
left join audience_members m on (m.audience, m.user_id) = (%(audience)s, c.user_id)
left join users u on u.user_id = c.user_id
order by c.change_id, m.rank, c.user_id
"""

_FIELDS = ("user_id", "rank", "score", "reasons", "change", "changed_at")


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: rows, and the last change among them where they are changes."""

    rows: int
    change_id: int | None


def export_audience(
    connection: Connection,
    audience: str,
    to: str,
    kind: str,
    *,
    columns: Sequence[str] | None = None,
    attributes: Sequence[str] = (),
    contacts: Contacts | None = None,
    cursor: str | None = None,
) -> Exported:
    """Write an audience as of now to a file; with a cursor, what has changed since it was last read.

    The file takes its place whole, and only then is the cursor moved: an export that dies before that is done again by
    the next, so what is read from the files arrives at least once.

    Raises PgaudienceError when there is no such audience or column, or the file cannot be written.
    """
    known = MEMBER if cursor is None else {**MEMBER, **CHANGE}
    chosen = list(columns) if columns is not None else list(MEMBER if cursor is None else CHANGE)
    if cursor is not None:
        connection.execute("call open_cursor(%s, %s)", [audience, cursor])
        connection.commit()
    _check(connection, audience, chosen, known, attributes)
    types = {name: known[name] for name in chosen} | dict.fromkeys(attributes, "text")
    rows, last = 0, None
    with open_writer(to, kind, types) as writer:
        for batch in _read(connection, audience, attributes, cursor):
            writer.write([_row(record, chosen, attributes, contacts) for record in batch])
            rows += len(batch)
            last = max([record[0] for record in batch if record[0] is not None], default=last)
    if cursor is not None and last is not None:
        connection.execute("call confirm_changes(%s, %s, %s)", [audience, cursor, last])
    connection.commit()
    return Exported(rows, last)


def _check(
    connection: Connection, audience: str, columns: Sequence[str], known: Mapping[str, str], attributes: Sequence[str]
) -> None:
    names = [row[0] for row in connection.execute(_NAMES).fetchall()]
    if audience not in names:
        raise PgaudienceError(
            f"there is no audience {audience!r}", f"There are: {', '.join(names)}" if names else "None is saved yet."
        )
    if unknown := [name for name in columns if name not in known]:
        raise PgaudienceError(f"there is no column {unknown[0]!r}", f"There are: {', '.join(known)}")
    if doubled := [name for name in attributes if name in columns or list(attributes).count(name) > 1]:
        raise PgaudienceError(f"the file would have two columns {doubled[0]!r}", "Leave one of them out.")
    if not columns and not attributes:
        raise PgaudienceError("the file would have no column", "Give --columns or --attributes.")


def _read(
    connection: Connection, audience: str, attributes: Sequence[str], cursor: str | None
) -> Iterator[Sequence[tuple[Any, ...]]]:
    # The transaction is open, and set up, since _check: a cursor of the server would not do that.
    query = _MEMBERS if cursor is None else _CHANGES
    with connection.cursor(name="export") as reader:
        reader.execute(query, {"audience": audience, "cursor": cursor, "attributes": list(attributes)})
        while batch := reader.fetchmany(ROWS_AT_ONCE):
            yield batch


def _row(record: tuple[Any, ...], columns: Sequence[str], attributes: Sequence[str], contacts: Contacts | None) -> Row:
    values: dict[str, object] = dict(zip(_FIELDS, record[1:7], strict=True))
    known: dict[str, str | None] = dict(zip(attributes, record[7], strict=True))
    shown = contacts.hashed(known) if contacts is not None else known
    return [*(values[name] for name in columns), *shown.values()]
