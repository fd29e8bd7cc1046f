"""Rows of activity added up to pairs of user and entry, and their binary COPY."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from pgaudience.database import Connection
from pgaudience.reading import NO_TIME

ROWS_AT_ONCE = 100_000

# Binary COPY of a row: the number of fields, then each field behind its length in bytes, big-endian.
# https://www.postgresql.org/docs/current/sql-copy.html
_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER = b"\xff\xff"
_FIELDS = {"user_key": ">i8", "entry_key": ">i8", "frequency": ">f8", "first_at": ">i8", "last_at": ">i8"}
_POSTGRES_EPOCH = 946_684_800_000_000  # microseconds from 1970 to 2000
_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Pairs:
    """Distinct pairs, in the order of their keys; all of shape (n,).

    users, entries: int64, keys. frequencies: float64. first, last: int64, microseconds since 1970-01-01 UTC; for a pair
    without times, `last` is NO_TIME.
    """

    users: NDArray[np.int64]
    entries: NDArray[np.int64]
    frequencies: NDArray[np.float64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]


def add_up(
    users: NDArray[np.int64],
    entries: NDArray[np.int64],
    frequencies: NDArray[np.float64],
    times: NDArray[np.int64],
) -> Pairs:
    """Add up the frequencies of rows, all of shape (m,), to pairs; m is at least 1, and a missing time is NO_TIME."""
    order = _order(users, entries)
    users, entries = users[order], entries[order]
    is_first = np.ones(len(order), dtype=np.bool_)
    is_first[1:] = (users[1:] != users[:-1]) | (entries[1:] != entries[:-1])
    starts = np.flatnonzero(is_first)
    sums = np.add.reduceat(frequencies[order], starts)
    moments = times[order]
    first = np.minimum.reduceat(np.where(moments == NO_TIME, _NEVER, moments), starts)
    last = np.maximum.reduceat(moments, starts)
    return Pairs(users[starts], entries[starts], sums, first, last)


def _order(users: NDArray[np.int64], entries: NDArray[np.int64]) -> NDArray[np.intp]:
    """Sort pairs by user, then entry: as one number where that fits."""
    width = int(entries.max()) + 1
    if int(users.max()) >= np.iinfo(np.int64).max // width:
        return np.lexsort((entries, users))
    return np.argsort(users * width + entries)


def copy_pairs(connection: Connection, table: str, pairs: Pairs) -> None:
    """COPY pairs into a table with the columns of activity."""
    columns: list[NDArray[Any]] = [pairs.users, pairs.entries, pairs.frequencies]
    timed = pairs.last != NO_TIME
    times = [pairs.first[timed] - _POSTGRES_EPOCH, pairs.last[timed] - _POSTGRES_EPOCH]
    _copy(connection, table, [column[~timed] for column in columns])
    _copy(connection, table, [column[timed] for column in columns] + times)


def _copy(connection: Connection, table: str, columns: list[NDArray[Any]]) -> None:
    if not len(columns[0]):
        return
    names = list(_FIELDS)[: len(columns)]
    parts = [part for name in names for part in ((f"{name} length", ">i4"), (name, _FIELDS[name]))]
    row = np.dtype([("fields", ">i2"), *parts])
    statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    with connection.cursor().copy(statement) as copy:
        copy.write(_HEADER)
        for start in range(0, len(columns[0]), ROWS_AT_ONCE):
            chosen = slice(start, start + ROWS_AT_ONCE)
            rows = np.zeros(len(columns[0][chosen]), dtype=row)
            rows["fields"] = len(names)
            for name, column in zip(names, columns, strict=True):
                rows[f"{name} length"] = 8
                rows[name] = column[chosen]
            copy.write(rows.tobytes())
        copy.write(_TRAILER)
