"""What one would do without the product: read everything out, compute in scipy, write it back. No Python per row."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from serving import DIMENSIONS, SCHEMA, Connection

from pgaudience.server import binary

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

_ACTIVITY_OUT = f"copy (select user_key, entry_key, frequency from {SCHEMA}.activity) to stdout (format binary)"
_VECTORS_OUT = f"copy (select entry_key, embedding from {SCHEMA}.entry_vectors) to stdout (format binary)"

_USERS_OUT = f"copy (select user_key, embedding from {SCHEMA}.user_vectors) to stdout (format binary)"

_LABEL = np.dtype([("fields", ">i2"), ("l1", ">i4"), ("user", ">i8"), ("l2", ">i4"), ("label", ">i8")])

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
    def read(cls, copy_out: Callable[[str], bytes]) -> Self:
        activity = _parsed(copy_out(_ACTIVITY_OUT), _ACTIVITY)
        vectors = _parsed(copy_out(_VECTORS_OUT), _VECTOR)
        user_keys, users = _numbered(activity["user"].astype(np.int64))
        _, entries = _numbered(activity["entry"].astype(np.int64), among=vectors["key"].astype(np.int64))
        frequencies = activity["frequency"].astype(np.float64)
        return cls(user_keys, users, entries, frequencies, vectors["vector"].astype(np.float32))

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


def export_user_vectors(copy_out: Callable[[str], bytes]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the keys of the users, shape (u,), and their vectors, shape (u, d)."""
    rows = _parsed(copy_out(_USERS_OUT), _VECTOR)
    return rows["key"].astype(np.int64), rows["vector"].astype(np.float32)


def write_labels(connection: Connection, user_keys: NDArray[np.int64], labels: NDArray[np.int32]) -> None:
    """Put the label of every user in a table of their own, in the place of those that are there."""
    connection.execute("create table if not exists public.labels (user_key bigint primary key, label bigint)")
    connection.execute("truncate public.labels")
    rows = np.zeros(len(user_keys), dtype=_LABEL)
    rows["fields"], rows["l1"], rows["l2"], rows["user"], rows["label"] = 2, 8, 8, user_keys, labels
    with connection.cursor().copy("copy public.labels (user_key, label) from stdin (format binary)") as copy:
        copy.write(_HEADER + rows.tobytes() + _TRAILER)
    connection.commit()


def through_psycopg(connection: Connection) -> Callable[[str], bytes]:
    """Return a function that has psycopg run a COPY, as most programs would; it hands over every row by itself."""

    def copy_out(statement: str) -> bytes:
        with connection.cursor().copy(statement) as copy:
            return b"".join(copy)

    return copy_out


def through_psql(url: str) -> Callable[[str], bytes]:
    """Return a function that has psql run a COPY and takes its output whole: ten times as fast."""

    def copy_out(statement: str) -> bytes:
        command = [binary("psql"), "--no-psqlrc", "--quiet", "--dbname", url, "--command", statement]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout

    return copy_out


def _parsed(data: bytes, row: np.dtype) -> np.ndarray:
    count = (len(data) - len(_HEADER) - len(_TRAILER)) // row.itemsize
    return np.frombuffer(data, dtype=row, offset=len(_HEADER), count=count)


def _numbered(
    keys: NDArray[np.int64], among: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return distinct keys, ascending unless given, and the place of each key among them. Small keys need no sort."""
    if among is None:
        among = np.flatnonzero(np.bincount(keys))
    places = np.zeros(among.max() + 1, dtype=np.int64)
    places[among] = np.arange(len(among))
    return among, places[keys]


def _rows(user_keys: NDArray[np.int64], profiles: NDArray[np.float32]) -> np.ndarray:
    rows = np.zeros(len(user_keys), dtype=_VECTOR)
    rows["fields"], rows["l1"], rows["l2"] = 2, 8, 4 + 4 * DIMENSIONS
    rows["key"], rows["dimensions"], rows["vector"] = user_keys, DIMENSIONS, profiles
    return rows
