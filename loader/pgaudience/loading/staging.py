"""COPY the rows of a source into temporary tables, every distinct text once.

Most rows repeat a user and an entry that were seen before, so the wire and the server get small numbers for them: each
distinct text is sent once with a number of its own, and the activity consists of these numbers, in binary COPY.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, LiteralString

import numpy as np
import psycopg
from numpy.typing import NDArray

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

_COPY_ACTIVITY = "copy staged_activity (user_number, entry_number, frequency, occurred_at) from stdin (format binary)"

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
ROWS_AT_ONCE = 50_000


class Numbering(dict[str, int]):
    """Gives each distinct text a number, and forgets when its memory is full: a text may then get a second one."""

    def __init__(self, characters: int = 50_000_000) -> None:
        self.new: list[tuple[int, str]] = []
        self._next = 0
        self._free = self._characters = characters

    def __missing__(self, text: str) -> int:
        number = self[text] = self._next
        self._next += 1
        self._free -= len(text) + 100
        self.new.append((number, text))
        return number

    def number(self, texts: Sequence[str]) -> NDArray[np.int32]:
        """Return the number of each text, shape (len(texts),); those that got one now are added to `new`."""
        if self._free < 0:
            self.clear()
            self._free = self._characters
        return np.fromiter(map(self.__getitem__, texts), np.int32, count=len(texts))


class Staging:
    """The staging tables of one load; they go with the transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._users, self._entries = Numbering(), Numbering()
        self._last_attributes: dict[int, dict[str, str | None]] = {}
        self._rows: list[bytes] = []
        self._waiting = 0
        connection.execute(_CREATE)

    def add(self, chunk: Chunk, attribute_names: Sequence[str]) -> None:
        """Stage the rows of a chunk, and the users' attributes in its extra columns."""
        rows = np.zeros(len(chunk.users), dtype=_ROW)
        rows["fields"] = 4
        rows["user_length"] = rows["entry_length"] = 4
        rows["frequency_length"] = rows["time_length"] = 8
        rows["user"] = users = self._users.number(chunk.users)
        rows["entry"] = self._entries.number(chunk.entries)
        rows["frequency"] = chunk.frequencies
        rows["time"] = _MINUS_INFINITY if chunk.times is None else _on_the_wire(chunk.times)
        self._rows.append(rows.tobytes())
        self._waiting += len(rows)
        if chunk.attributes is not None:
            self._stage_attributes(users, [dict(zip(attribute_names, row, strict=True)) for row in chunk.attributes])
        if self._waiting >= ROWS_AT_ONCE:
            self.flush()

    def add_users(self, chunk: UserChunk) -> None:
        """Stage users with their attributes."""
        self._stage_attributes(self._users.number(chunk.users), chunk.attributes)

    def flush(self) -> None:
        """Send what waits here to the server; to be called once more when all is added."""
        self._copy_texts("copy staged_users (number, user_id) from stdin", self._users.new)
        self._copy_texts("copy staged_entries (number, entry) from stdin", self._entries.new)
        if self._rows:
            with self._connection.cursor().copy(_COPY_ACTIVITY) as copy:
                copy.write(b"".join((_COPY_HEADER, *self._rows, _COPY_TRAILER)))
        self._rows.clear()
        self._waiting = 0

    def _stage_attributes(self, users: NDArray[np.int32], rows: Sequence[dict[str, str | None]]) -> None:
        if len(self._last_attributes) > MOST_REMEMBERED:
            self._last_attributes.clear()
        with self._connection.cursor().copy("copy staged_attributes (user_number, attributes) from stdin") as copy:
            for user, attributes in zip(users.tolist(), rows, strict=True):
                if self._last_attributes.get(user) != attributes:
                    self._last_attributes[user] = attributes
                    copy.write_row((user, json.dumps(attributes)))

    def _copy_texts(self, statement: LiteralString, texts: list[tuple[int, str]]) -> None:
        if texts:
            with self._connection.cursor().copy(statement) as copy:
                for row in texts:
                    copy.write_row(row)
        texts.clear()


def _on_the_wire(times: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(times == NO_TIME, _MINUS_INFINITY, times - _POSTGRES_EPOCH)
