"""Keep everybody out of the relations of spaces, without ever being in a deadlock with those who are in."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import LiteralString, cast

import psycopg
from psycopg import sql

from pgaudience.database import Connection
from pgaudience.database.sessions import describe_sessions, ending
from pgaudience.errors import PgaudienceError

PATIENCE_SECONDS = 10.0
"""For how long everybody else goes first; then their turn is over, even if that ends one of them in a deadlock."""

LAST_TIMEOUT = "10s"
SAY_AFTER_SECONDS = 5.0
ATTEMPT_SECONDS = 5.0
"""The longest that readers are kept waiting in vain."""

LOOK_EVERY_SECONDS = 0.05
"""Much less than deadlock_timeout, after which PostgreSQL would end one of those who wait for each other."""

PAUSE_SECONDS = 0.25

# What readers name comes before what that stands on, as they lock it in this order too.
_RELATIONS = """
select format('%%I.%%I', n.nspname, c.relname)
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = any (%s)
    and c.relkind in ('r', 'v', 'm')
    and c.relowner = (select r.oid from pg_roles r where r.rolname = current_user)
order by c.relkind = 'r', c.oid desc
"""

# To give it to whom it belongs changes nothing, and locks any kind of relation; LOCK refuses materialized views.
_LOCK = "alter table {} owner to current_user"

_HOLDERS = """
select distinct l.pid
from pg_locks l
where l.relation = to_regclass(%s) and l.granted and l.pid <> pg_backend_pid()
"""

# Whoever holds the relation and waits at the same time may wait for us.
_IS_STUCK = """
select exists (
    select
    from pg_locks l
    join pg_locks w on w.pid = l.pid and not w.granted
    where l.relation = to_regclass(%s) and l.granted and l.pid <> pg_backend_pid()
)
"""


class _TakenError(Exception):
    """A relation could not be locked, for now."""

    def __init__(self, relation: str) -> None:
        super().__init__(relation)
        self.relation = relation


def lock_relations(connection: Connection, schemas: Sequence[str]) -> None:
    """Lock all relations of this role in the schemas until the transaction ends.

    An attempt that would end in a deadlock, or takes long, lets go of everything, so that readers pass; the next one
    begins with the relation that could not be had, while it holds nothing that anybody may wait for. Readers that never
    pause would keep that up for ever: after ten seconds, the last attempt waits for each relation as long again.

    Raises PgaudienceError, naming who is in the way, when that has not worked either.
    """
    started = time.monotonic()
    has_spoken = False
    order = [row[0] for row in connection.execute(_RELATIONS, [list(schemas)]).fetchall()]
    waited = 0.0
    while (relation := _attempt(connection, order, insist=waited >= PATIENCE_SECONDS)) is not None:
        order.remove(relation)
        order.insert(0, relation)
        pids = [pid for (pid,) in connection.execute(_HOLDERS, [relation]).fetchall()]
        holders = describe_sessions(connection, pids)
        if waited >= PATIENCE_SECONDS:
            raise _given_up(relation, holders)
        waited = time.monotonic() - started
        if holders and waited >= SAY_AFTER_SECONDS and not has_spoken:
            print(f"Waiting for {' and '.join(holders.values())}", file=sys.stderr, flush=True)  # noqa: T201
            has_spoken = True
        time.sleep(PAUSE_SECONDS)


def _attempt(connection: Connection, order: Sequence[str], *, insist: bool) -> str | None:
    """Lock the relations in this order; else return the one that could not be had, with nothing locked."""
    ends = time.monotonic() + ATTEMPT_SECONDS
    timeout = LAST_TIMEOUT if insist else f"{round(1000 * LOOK_EVERY_SECONDS)}ms"
    try:
        with connection.transaction():
            connection.execute("select set_config('lock_timeout', %s, true)", [timeout])
            for relation in order:
                while not _locks(connection, relation):
                    if (
                        insist
                        or time.monotonic() > ends
                        or connection.execute(_IS_STUCK, [relation]).fetchone() == (True,)
                    ):
                        raise _TakenError(relation)
    except _TakenError as taken:
        return taken.relation
    return None


def _locks(connection: Connection, relation: str) -> bool:
    try:
        with connection.transaction():
            connection.execute(sql.SQL(_LOCK).format(sql.SQL(cast("LiteralString", relation))))
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
        return False
    return True


def _given_up(relation: str, holders: dict[int, str]) -> PgaudienceError:
    who = " and ".join(holders.values()) or "another session"
    endings = ending(holders)
    return PgaudienceError(
        f"another session is using the space, so it cannot be upgraded now: {who} holds {relation}",
        f"Nothing was changed. Try again when it is done{f', or end it: {endings}' if endings else '.'}",
    )
