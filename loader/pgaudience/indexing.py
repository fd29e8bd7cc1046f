"""HNSW indexes for nearest-neighbour search by cosine."""

from __future__ import annotations

from typing import Any, LiteralString

import psycopg
from psycopg import sql

from pgaudience.database import Space
from pgaudience.errors import PgaudienceError
from pgaudience.progress import progress

Connection = psycopg.Connection[tuple[Any, ...]]

MOST_DIMENSIONS = 2000
INDEXED = ("entry_vectors", "user_vectors")

_CREATE = "create index if not exists {index} on {relation} using hnsw (embedding vector_cosine_ops)"
_DROP = "drop index if exists {index}"


def create_indexes(connection: Connection, space: Space) -> None:
    """Build the indexes that are missing, and commit; searches find them by themselves.

    Raises PgaudienceError when the vectors are too long for HNSW.
    """
    if space.dimensions > MOST_DIMENSIONS:
        raise PgaudienceError(
            f"pgvector indexes vectors of up to {MOST_DIMENSIONS} dimensions; this space has {space.dimensions}",
            "Searches stay exact without an index. For an index, migrate a space with --dimensions 1536.",
        )
    with progress("Indexing", len(INDEXED), "indexes") as shown:
        for relation in INDEXED:
            _run(connection, _CREATE, relation)
            shown.advance(1)


def drop_indexes(connection: Connection) -> None:
    """Remove the indexes, and commit."""
    for relation in INDEXED:
        _run(connection, _DROP, relation)


def _run(connection: Connection, statement: LiteralString, relation: str) -> None:
    names = {"index": sql.Identifier(f"{relation}_embedding"), "relation": sql.Identifier(relation)}
    connection.execute(sql.SQL(statement).format(**names))
    connection.commit()
