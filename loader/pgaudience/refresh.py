"""Bring the materialized views up to date."""

from __future__ import annotations

import psycopg

from pgaudience.database import Connection
from pgaudience.errors import PgaudienceError


def refresh(connection: Connection) -> None:
    """Call the procedure of this name in the space, and commit.

    Raises PgaudienceError when the role may not.
    """
    try:
        connection.execute("call refresh()")
        connection.commit()
    except psycopg.errors.InsufficientPrivilege as error:
        raise PgaudienceError(
            "this role may not refresh the space", "Ask its owner for the role <space>_writer."
        ) from error
