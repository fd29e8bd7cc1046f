"""What is drawn, read from the database: its mean and covariance, and a sample of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from psycopg.sql import SQL, Composed

from pgaudience.database import Connection, read_blocks
from pgaudience.progress import progress

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]
Keys = NDArray[np.int64]

SAMPLE_SIZE = 2000

_POINTS = {
    "users": SQL("select v.user_key, v.embedding from user_vectors v"),
    "entries": SQL("select v.entry_key, v.embedding from entry_vectors v"),
}
_SAMPLES = {
    "users": SQL("""{} where v.user_key in (
        select s.user_key from user_vectors s order by hashint8extended(s.user_key, 0) {}, s.user_key limit {}
    )"""),
    "entries": SQL("""{} where v.entry_key in (
        select s.entry_key from entry_vectors s order by hashint8extended(s.entry_key, 0) {}, s.entry_key limit {}
    )"""),
}
_NEXT_TO_THE_AVERAGE = 1e-4


@dataclass(frozen=True, slots=True)
class Points:
    """The users or entries of a space, as seen from `average` at unit length, or as they are without one."""

    relation: str
    count: int
    mean: Vector
    covariance: Matrix
    sample: Matrix
    """SAMPLE_SIZE of them, or all, one a row; always the same ones."""


def read_points(connection: Connection, relation: str, dimensions: int, average: Vector | None) -> Points:
    """Read what is to be drawn, in blocks: the memory this takes does not grow with how many there are."""
    count, total, products = 0, np.zeros(dimensions), np.zeros((dimensions, dimensions))
    with progress(f"Reading {relation}", None, relation) as shown:
        for _, vectors in read_vectors(connection, relation, dimensions, average):
            count += len(vectors)
            total += vectors.sum(axis=0)
            products += vectors.T @ vectors
            shown.advance(len(vectors))
    _, sample = read_sample(connection, relation, dimensions, average)
    mean = total / max(count, 1)
    return Points(relation, count, mean, products / max(count, 1) - np.outer(mean, mean), sample)


def read_vectors(
    connection: Connection, relation: str, dimensions: int, average: Vector | None
) -> Iterator[tuple[Keys, Matrix]]:
    """Yield the keys and vectors of all that is to be drawn, in blocks."""
    return _vectors(connection, _POINTS[relation], dimensions, average)


def read_sample(
    connection: Connection, relation: str, dimensions: int, average: Vector | None, *, last: bool = False
) -> tuple[Keys, Matrix]:
    """Return the keys and vectors of SAMPLE_SIZE of them, always the same: the first by a hash, or the `last`."""
    query = _SAMPLES[relation].format(_POINTS[relation], SQL("desc" if last else "asc"), SAMPLE_SIZE)
    blocks = list(_vectors(connection, query, dimensions, average))
    return np.concatenate([keys for keys, _ in blocks]), np.concatenate([vectors for _, vectors in blocks])


def _vectors(
    connection: Connection, query: SQL | Composed, dimensions: int, average: Vector | None
) -> Iterator[tuple[Keys, Matrix]]:
    # A row of pgvector's binary format: dimensions, a word without meaning, the components.
    row = np.dtype([
        ("_1", ">i2"), ("_2", ">i4"), ("key", ">i8"), ("_3", ">i4"), ("_4", ">i4"), ("embedding", ">f4", (dimensions,))
    ])  # fmt: skip
    for block in read_blocks(connection, query, row):
        keys, vectors = block["key"].astype(np.int64), block["embedding"].astype(np.float64)
        if average is not None:
            vectors -= average
            lengths = np.linalg.norm(vectors, axis=1)
            kept = lengths > _NEXT_TO_THE_AVERAGE
            keys, vectors = keys[kept], vectors[kept] / lengths[kept, None]
        yield keys, vectors
