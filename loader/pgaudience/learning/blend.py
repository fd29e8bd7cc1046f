"""Blends: the vectors of several spaces beside each other."""

from __future__ import annotations

from psycopg import sql

from pgaudience.database import Connection

_PARTS = "select s.parts, s.trained_at from space s where s.parts is not null"
_NEWER = "select exists (select from {} v where v.embedded_at > %s)"


def parts_are_newer(connection: Connection) -> bool:
    """Return whether a part has vectors that are not in the blend yet, or nothing was blended so far."""
    parts, trained_at = connection.execute(_PARTS).fetchone() or ((), None)
    for part in parts:
        query = sql.SQL(_NEWER).format(sql.Identifier(part, "entry_vectors"))
        if connection.execute(query, [trained_at or "-infinity"]).fetchone() == (True,):
            return True
    return False
