"""Processes that distill a space take turns: one batch of texts, or one fit, at a time."""

from __future__ import annotations

import sys
from typing import LiteralString

from pgaudience.database import Connection

_TRY = "select pg_try_advisory_xact_lock(lock_key('distill'))"
_WAIT = "select pg_advisory_xact_lock(lock_key('distill'))"


def take_turn(connection: Connection, *, aloud: bool = False) -> None:
    """Keep other processes from distilling the space until the transaction ends; `aloud` says so if one is at it."""
    if not _locks(connection, _TRY):
        if aloud:
            print("Waiting for another process, which is distilling the space", file=sys.stderr)  # noqa: T201
        _locks(connection, _WAIT)


def others_turn(connection: Connection) -> bool:
    """Whether another process is distilling the space; ends its own transaction."""
    taken = not _locks(connection, _TRY)
    connection.commit()
    return taken


def _locks(connection: Connection, statement: LiteralString) -> bool:
    return connection.execute(statement).fetchone() != (False,)
