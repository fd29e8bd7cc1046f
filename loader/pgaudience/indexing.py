"""HNSW indexes for nearest-neighbour search by cosine."""

from __future__ import annotations

import threading
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from pgaudience.database import Connection, Space, connect
from pgaudience.errors import PgaudienceError
from pgaudience.progress import Progress, progress

MOST_DIMENSIONS = 2000
INDEXED = ("entry_vectors", "user_vectors", "centered_user_vectors")
LOOK_EVERY_SECONDS = 0.5

_COUNT = "select count(*), pg_backend_pid() from {relation}"
_CREATE = "create index if not exists {index} on {relation} using hnsw (embedding vector_cosine_ops)"
_DROP = "drop index if exists {index}"
_DONE = "select coalesce(max(tuples_done), 0) from pg_stat_progress_create_index where pid = %s"


def create_indexes(connection: Connection, space: Space, conninfo: str) -> None:
    """Build the indexes that are missing, and commit; searches find them by themselves.

    A second connection, by `conninfo`, watches how far the server is.

    Raises PgaudienceError when the vectors are too long for HNSW.
    """
    if space.dimensions > MOST_DIMENSIONS:
        raise PgaudienceError(
            f"pgvector indexes vectors of up to {MOST_DIMENSIONS} dimensions; this space has {space.dimensions}",
            "Searches stay exact without an index. For an index, migrate a space with --dimensions 1536.",
        )
    for relation in INDEXED:
        rows, pid = _run(connection, _COUNT, relation).fetchone() or (0, 0)
        with progress(f"Indexing {relation}", rows, "vectors") as shown:
            finished = threading.Event()
            watcher = threading.Thread(target=_watch, args=(conninfo, pid, rows, shown, finished), daemon=True)
            watcher.start()
            try:
                _run(connection, _CREATE, relation)
                connection.commit()
            finally:
                finished.set()
                watcher.join()


def drop_indexes(connection: Connection) -> None:
    """Remove the indexes, and commit."""
    for relation in INDEXED:
        _run(connection, _DROP, relation)
    connection.commit()


def _watch(conninfo: str, pid: int, rows: int, shown: Progress, finished: threading.Event) -> None:
    reported = 0
    with connect(conninfo, autocommit=True) as connection:
        while not finished.wait(LOOK_EVERY_SECONDS):
            (done,) = connection.execute(_DONE, [pid]).fetchone() or (0,)
            if done > reported:
                shown.advance(done - reported)
                reported = done
    shown.advance(rows - reported)


def _run(connection: Connection, statement: LiteralString, relation: str) -> psycopg.Cursor[tuple[Any, ...]]:
    names = {"index": sql.Identifier(f"{relation}_embedding"), "relation": sql.Identifier(relation)}
    return connection.execute(sql.SQL(statement).format(**names))
