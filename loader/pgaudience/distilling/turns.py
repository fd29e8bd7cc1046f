"""One process at a time distills a space."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg

Connection = psycopg.Connection[tuple[Any, ...]]

_TRY = "select pg_try_advisory_lock(hashtextextended('pgaudience distill ' || current_schema(), 0))"
_WAIT = "select pg_advisory_lock(hashtextextended('pgaudience distill ' || current_schema(), 0))"
_END = "select pg_advisory_unlock(hashtextextended('pgaudience distill ' || current_schema(), 0))"


@contextmanager
def turn(connection: Connection, *, wait: bool) -> Generator[bool]:
    """Say whether it is this session's turn, and keep it for the time of the block; with `wait`, it always is.

    Whatever transaction is open when the block ends is rolled back. A session that has its turn may take it again.
    """
    mine = _locks(connection, _TRY)
    if not mine and wait:
        print("Waiting for another process, which is distilling the space", file=sys.stderr)  # noqa: T201
        mine = _locks(connection, _WAIT)
    try:
        yield mine
    finally:
        if mine and not connection.closed:
            connection.rollback()
            _locks(connection, _END)


def _locks(connection: Connection, statement: LiteralString) -> bool:
    found = connection.execute(statement).fetchone()
    connection.commit()
    return found != (False,)
