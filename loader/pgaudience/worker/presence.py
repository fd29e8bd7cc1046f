"""How others see that a worker is alive: a row in the table `workers` of each of its spaces, with a heartbeat."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from typing import LiteralString

import psycopg
from psycopg import sql

from pgaudience.database import Connection, connect
from pgaudience.errors import PgaudienceError

BEAT_SECONDS = 5.0
"""A third of what the view live_workers allows, as a beat or two may be late."""

_SWEEP = """
delete from {workers}
where backend_pid = pg_backend_pid() or worker_key not in (select worker_key from {live_workers})
"""

_ENTER = "insert into {workers} (backend_pid) values (pg_backend_pid())"

# A worker that was stopped for a while finds its row swept away by another one.
_BEAT = """
with beat as (
    update {workers} set seen_at = clock_timestamp() where backend_pid = %(pid)s returning backend_pid
)
insert into {workers} (backend_pid) select %(pid)s where not exists (select from beat)
"""

_LEAVE = "delete from {workers} where backend_pid = pg_backend_pid()"


@contextmanager
def presence(conninfo: str, connection: Connection, schemas: Sequence[str]) -> Generator[None]:
    """Be seen in the spaces as the worker on this connection, in autocommit mode, for the time of a block.

    The heart beats on a connection of its own, so that it does not stop during a long batch. The rows of workers that
    have died are removed. A block that fails leaves the row behind; it counts for nothing once the connection is gone.

    Raises PgaudienceError when the role may not write here, or the space knows no workers yet.
    """
    for schema in schemas:
        _enter(connection, schema)
    stopped = threading.Event()
    pid = connection.info.backend_pid
    heart = threading.Thread(target=_beat, args=(conninfo, schemas, pid, stopped), name="heartbeat", daemon=True)
    heart.start()
    try:
        yield
    finally:
        stopped.set()
        heart.join(BEAT_SECONDS)
    for schema in schemas:
        connection.execute(_in_space(_LEAVE, schema))


def _enter(connection: Connection, schema: str) -> None:
    try:
        connection.execute(_in_space(_SWEEP, schema))
        connection.execute(_in_space(_ENTER, schema))
    except psycopg.errors.InsufficientPrivilege as error:
        raise PgaudienceError(
            f"this role may not embed for the space {schema!r}",
            f"Ask its owner for: grant {schema}_writer to <this role>",
        ) from error
    except psycopg.errors.UndefinedTable as error:
        raise PgaudienceError(
            f"the space {schema!r} is older than this pgaudience",
            f"Upgrade it: pgaudience --schema {shlex.quote(schema)} migrate",
        ) from error


def _beat(conninfo: str, schemas: Sequence[str], pid: int, stopped: threading.Event) -> None:
    while not stopped.wait(BEAT_SECONDS):
        with suppress(psycopg.Error, PgaudienceError), connect(conninfo, autocommit=True) as connection:
            while True:
                for schema in schemas:
                    connection.execute(_in_space(_BEAT, schema), {"pid": pid})
                if stopped.wait(BEAT_SECONDS):
                    return


def _in_space(statement: LiteralString, schema: str) -> sql.Composed:
    return sql.SQL(statement).format(
        workers=sql.Identifier(schema, "workers"), live_workers=sql.Identifier(schema, "live_workers")
    )
