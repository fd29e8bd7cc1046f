"""Blends: the vectors of several spaces beside each other."""

from __future__ import annotations

from psycopg import sql

from pgaudience.database import Connection
from pgaudience.errors import PgaudienceError

_PARTS = "select s.parts, s.trained_at from space s where s.parts is not null"
_NEWER = "select exists (select from {} v where v.embedded_at > %s)"
_STALE = "select s.stale from {} s"


def parts_are_newer(connection: Connection) -> bool:
    """Return whether a part has vectors that are not in the blend yet, or nothing was blended so far."""
    parts, trained_at = connection.execute(_PARTS).fetchone() or ((), None)
    for part in parts:
        query = sql.SQL(_NEWER).format(sql.Identifier(part, "entry_vectors"))
        if connection.execute(query, [trained_at or "-infinity"]).fetchone() == (True,):
            return True
    return False


def check_parts(connection: Connection) -> None:
    """Raise PgaudienceError where a part of the blend is not up to date: the blend would soon be outdated itself."""
    parts, _ = connection.execute(_PARTS).fetchone() or ((), None)
    stale = [
        part
        for part in parts
        if connection.execute(sql.SQL(_STALE).format(sql.Identifier(part, "status"))).fetchone() == (True,)
    ]
    if stale:
        raise PgaudienceError(
            f"of the parts of the blend, {', '.join(stale)} {'is' if len(stale) == 1 else 'are'} stale",
            "Bring all up to date, the blend too: pgaudience refresh --all",
        )
