"""Which database is meant, and a connection to it."""

from __future__ import annotations

import os

import psycopg

from pgaudience.database.transactions import SpaceConnection
from pgaudience.errors import PgaudienceError

DATABASE_VARIABLE = "PGAUDIENCE_DATABASE_URL"
LIBPQ_VARIABLES = ("PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE")


def resolve_database(database: str | None) -> str:
    """Return a libpq connection string: the option, the environment, or the embedded server, started if need be."""
    given = database or os.environ.get(DATABASE_VARIABLE)
    if given:
        return given.replace("postgresql+psycopg://", "postgresql://", 1)
    if any(os.environ.get(variable) for variable in LIBPQ_VARIABLES):
        return ""
    from pgaudience.server import EmbeddedServer, default_home

    server = EmbeddedServer(default_home())
    server.start()
    return server.url()


def connect(conninfo: str, *, autocommit: bool = False) -> SpaceConnection:
    """Open a connection.

    Raises PgaudienceError when the server cannot be reached or refuses.
    """
    try:
        return SpaceConnection.connect(
            conninfo,
            autocommit=autocommit,
            prepare_threshold=None,  # what is prepared belongs to a session, which a pooler shares
            fallback_application_name="pgaudience",
            client_encoding="UTF8",
        )
    except (psycopg.OperationalError, psycopg.ProgrammingError) as error:
        raise PgaudienceError(
            f"cannot connect to the database: {str(error).strip()}",
            f"Check --database or {DATABASE_VARIABLE}; without either, the embedded server is used.",
        ) from error


def is_pooled(connection: SpaceConnection) -> bool:
    """Whether something stands between the connection and the server: a pooler answers with a process of its own."""
    return connection.execute("select pg_backend_pid()").fetchone() != (connection.info.backend_pid,)
