"""What one would do without the product: read everything out, compute in scipy, write it back. No Python per row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from serving import DIMENSIONS, Connection

# Rows of binary COPY: https://www.postgresql.org/docs/current/sql-copy.html; a vector is its dimensions, 2 unused
# bytes and float4s. A field of n bytes stands behind an int4 n.
_ACTIVITY = np.dtype([
    ("fields", ">i2"), ("l1", ">i4"), ("user", ">i8"), ("l2", ">i4"), ("entry", ">i8"), ("l3", ">i4"),
    ("frequency", ">f8"),
])  # fmt: skip
_VECTOR = np.dtype([
    ("fields", ">i2"), ("l1", ">i4"), ("key", ">i8"), ("l2", ">i4"), ("dimensions", ">i2"), ("unused", ">i2"),
    ("vector", ">f4", (DIMENSIONS,)),
])  # fmt: skip
_HEADER, _TRAILER = b"PGCOPY\n\xff\r\n\x00" + bytes(8), b"\xff\xff"
_ROWS_AT_ONCE = 5_000

_TARGET = f"create table if not exists public.built (user_key bigint primary key, embedding vector({DIMENSIONS}))"


@dataclass(frozen=True, slots=True)
class Exported:
    """Activity and entry vectors as arrays.

    user_keys: those with activity, ascending, shape (u,). users, entries: for each of p pairs the row in user_keys
    and in vectors, shape (p,). vectors: float32, shape (e, d).
    """

    user_keys: NDArray[np.int64]
    users: NDArray[np.int64]
    entries: NDArray[np.int64]
    frequencies: NDArray[np.float64]
    vectors: NDArray[np.float32]

    @classmethod
    def read(cls, connection: Connection) -> Self:
        activity = _copy_out(connection, "select user_key, entry_key, frequency from activity", _ACTIVITY)
        vectors = _copy_out(connection, "select entry_key, embedding from entry_vectors", _VECTOR)
        user_keys, users = _numbered(activity["user"].astype(np.int64))
        places = np.zeros(vectors["key"].max() + 1, dtype=np.int64)
        places[vectors["key"]] = np.arange(len(vectors))
        entries = places[activity["entry"].astype(np.int64)]
        return cls(
            user_keys, users, entries, activity["frequency"].astype(np.float64), vectors["vector"].astype(np.float32)
        )

    def profiles(self) -> NDArray[np.float32]:
        """Return the unit vectors of the users, shape (u, d): sums of entry vectors weighted by ln(1 + frequency)."""
        weights = np.log1p(self.frequencies).astype(np.float32)
        shape = len(self.user_keys), len(self.vectors)
        sums = coo_matrix((weights, (self.users, self.entries)), shape=shape).tocsr() @ self.vectors
        return sums / np.linalg.norm(sums, axis=1, keepdims=True)


def write_back(connection: Connection, user_keys: NDArray[np.int64], profiles: NDArray[np.float32]) -> None:
    """Put the vectors in a table of their own, in the place of those that are there."""
    connection.execute(_TARGET)
    connection.execute("truncate public.built")
    with connection.cursor().copy("copy public.built (user_key, embedding) from stdin (format binary)") as copy:
        copy.write(_HEADER)
        for first in range(0, len(user_keys), _ROWS_AT_ONCE):
            chosen = slice(first, first + _ROWS_AT_ONCE)
            copy.write(_rows(user_keys[chosen], profiles[chosen]).tobytes())
        copy.write(_TRAILER)
    connection.commit()


def _copy_out(connection: Connection, query: str, row: np.dtype) -> np.ndarray:
    with connection.cursor().copy(f"copy ({query}) to stdout (format binary)") as copy:
        data = b"".join(copy)
    return np.frombuffer(data, dtype=row, offset=len(_HEADER), count=(len(data) - len(_HEADER)) // row.itemsize)


def _numbered(keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the distinct keys, ascending, and for each key its place among them; keys are small, so without sorting."""
    present = np.zeros(keys.max() + 1, dtype=np.bool_)
    present[keys] = True
    return np.flatnonzero(present), (np.cumsum(present) - 1)[keys]


def _rows(user_keys: NDArray[np.int64], profiles: NDArray[np.float32]) -> np.ndarray:
    rows = np.zeros(len(user_keys), dtype=_VECTOR)
    rows["fields"], rows["l1"], rows["l2"] = 2, 8, 4 + 4 * DIMENSIONS
    rows["key"], rows["dimensions"], rows["vector"] = user_keys, DIMENSIONS, profiles
    return rows
