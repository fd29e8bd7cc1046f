"""COPY the rows of a source into temporary tables, every distinct text once.

Most rows repeat a user and an entry that were seen before, so the wire and the server get small numbers for them: each
distinct text is sent once with a number of its own, and the activity consists of these numbers, in binary COPY.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

from pgaudience.reading import NO_TIME, Chunk, UserChunk

Connection = psycopg.Connection[tuple[Any, ...]]

_CREATE = """
create temporary table staged_users (number integer, user_id text) on commit drop;
create temporary table staged_entries (number integer, entry text) on commit drop;
create temporary table staged_activity (
    user_number integer,
    entry_number integer,
    frequency double precision,
    occurred_at timestamptz
) on commit drop;
create temporary table staged_attributes (
    position bigint generated always as identity,
    user_number integer,
    attributes jsonb
) on commit drop;
"""

# Binary COPY of one activity row: the number of fields, then each field behind its length in bytes, big-endian.
# https://www.postgresql.org/docs/current/sql-copy.html
_ROW = np.dtype(
    [
        ("fields", ">i2"),
        ("user_length", ">i4"),
        ("user", ">i4"),
        ("entry_length", ">i4"),
        ("entry", ">i4"),
        ("frequency_length", ">i4"),
        ("frequency", ">f8"),
        ("time_length", ">i4"),
        ("time", ">i8"),
    ]
)
_COPY_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_COPY_TRAILER = b"\xff\xff"
_POSTGRES_EPOCH = 946_684_800_000_000  # microseconds from 1970 to 2000
_MINUS_INFINITY = np.iinfo(np.int64).min  # how timestamptz has it; the merge reads it as 'no time'


MOST_REMEMBERED = 100_000


class Numbering:
    """Gives each distinct text a number, and forgets when its memory is full: a text may then get a second one."""

    def __init__(self, characters: int = 50_000_000) -> None:
        self._numbers: dict[str, int] = {}
        self._next = 0
        self._free = self._characters = characters

    def number(self, texts: Sequence[str]) -> tuple[NDArray[np.int32], list[tuple[int, str]]]:
        """Return the number of each text, shape (len(texts),), and those that are new, with their texts."""
        if self._free < 0:
            self._numbers.clear()
            self._free = self._characters
        unknown = set(texts).difference(self._numbers)
        new = list(enumerate(unknown, start=self._next))
        self._next += len(new)
        self._numbers.update((text, number) for number, text in new)
        self._free -= sum(map(len, unknown)) + 100 * len(unknown)
        return np.fromiter(map(self._numbers.__getitem__, texts), np.int32, count=len(texts)), new


class Staging:
    """The staging tables of one load; they go with the transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._users, self._entries = Numbering(), Numbering()
        self._last_attributes: dict[int, dict[str, str | None]] = {}
        connection.execute(_CREATE)

    def add(self, chunk: Chunk, attribute_names: Sequence[str]) -> None:
        """Stage the rows of a chunk, and the users' attributes in its extra columns."""
        users, entries = self._number_users(chunk.users), self._number_entries(chunk.entries)
        rows = np.zeros(len(users), dtype=_ROW)
        rows["fields"] = 4
        rows["user_length"] = rows["entry_length"] = 4
        rows["frequency_length"] = rows["time_length"] = 8
        rows["user"], rows["entry"], rows["frequency"] = users, entries, chunk.frequencies
        rows["time"] = _MINUS_INFINITY if chunk.times is None else _on_the_wire(chunk.times)
        statement = (
            "copy staged_activity (user_number, entry_number, frequency, occurred_at) from stdin (format binary)"
        )
        with self._connection.cursor().copy(statement) as copy:
            copy.write(_COPY_HEADER + rows.tobytes() + _COPY_TRAILER)
        if chunk.attributes is not None:
            self._stage_attributes(users, [dict(zip(attribute_names, row, strict=True)) for row in chunk.attributes])

    def add_users(self, chunk: UserChunk) -> None:
        """Stage users with their attributes."""
        self._stage_attributes(self._number_users(chunk.users), chunk.attributes)

    def _stage_attributes(self, users: NDArray[np.int32], rows: Sequence[dict[str, str | None]]) -> None:
        if len(self._last_attributes) > MOST_REMEMBERED:
            self._last_attributes.clear()
        with self._connection.cursor().copy("copy staged_attributes (user_number, attributes) from stdin") as copy:
            for user, attributes in zip(users.tolist(), rows, strict=True):
                if self._last_attributes.get(user) != attributes:
                    self._last_attributes[user] = attributes
                    copy.write_row((user, json.dumps(attributes)))

    def _number_users(self, texts: Sequence[str]) -> NDArray[np.int32]:
        numbers, new = self._users.number(texts)
        self._copy("staged_users", ("number", "user_id"), new)
        return numbers

    def _number_entries(self, texts: Sequence[str]) -> NDArray[np.int32]:
        numbers, new = self._entries.number(texts)
        self._copy("staged_entries", ("number", "entry"), new)
        return numbers

    def _copy(self, table: str, columns: tuple[str, str], rows: Sequence[tuple[int, str]]) -> None:
        statement = sql.SQL("copy {} ({}) from stdin").format(
            sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        if rows:
            with self._connection.cursor().copy(statement) as copy:
                for row in rows:
                    copy.write_row(row)


def _on_the_wire(times: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(times == NO_TIME, _MINUS_INFINITY, times - _POSTGRES_EPOCH)
