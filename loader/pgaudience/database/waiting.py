"""Say whom a command waits for, and end with a hint when it has waited long enough."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress

import psycopg

from pgaudience.database.connection import connect
from pgaudience.database.sessions import describe_sessions, ending
from pgaudience.database.transactions import SpaceConnection
from pgaudience.errors import PgaudienceError

SAY_AFTER_SECONDS = 5.0
LOOK_EVERY_SECONDS = 0.25

_BLOCKERS = "select unnest(pg_blocking_pids(%s))"


@contextmanager
def watching(conninfo: str, connection: SpaceConnection) -> Generator[None]:
    """Say on standard error whom the statements of a block wait for, once each, after some seconds of waiting.

    A second connection, by `conninfo`, is opened when a statement takes that long.

    Raises PgaudienceError, naming who was in the way, when a statement gave up: see SpaceConnection.lock_timeout.
    """
    watch = _Watch(conninfo, connection)
    thread = threading.Thread(target=watch.run, name="watch", daemon=True)
    thread.start()
    try:
        yield
    except psycopg.errors.LockNotAvailable as error:
        raise watch.explained() from error
    finally:
        watch.ended.set()
        thread.join(1)


class _Watch:
    def __init__(self, conninfo: str, connection: SpaceConnection) -> None:
        self._conninfo, self._connection = conninfo, connection
        self._blockers: dict[int, str] = {}
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(LOOK_EVERY_SECONDS):
            if self._is_slow():
                with suppress(psycopg.Error, PgaudienceError), connect(self._conninfo, autocommit=True) as second:
                    while not self.ended.is_set():
                        if self._is_slow():
                            self._look(second)
                        self.ended.wait(SAY_AFTER_SECONDS)

    def explained(self) -> PgaudienceError:
        who = " and ".join(self._blockers.values()) or "another session"
        endings = ending(self._blockers)
        return PgaudienceError(
            f"gave up waiting for {who}",
            "What was committed stays. Run the same command again when it is done"
            + (f", or end it: {endings}" if endings else "; pg_stat_activity shows who is at work."),
        )

    def _is_slow(self) -> bool:
        since = self._connection.busy_since
        return since is not None and time.monotonic() - since >= SAY_AFTER_SECONDS

    def _look(self, second: SpaceConnection) -> None:
        blockers = second.execute(_BLOCKERS, [self._connection.server_pid]).fetchall()
        found = describe_sessions(second, [pid for (pid,) in blockers])
        for pid in found.keys() - self._blockers.keys():
            print(f"Waiting for {found[pid]}", file=sys.stderr, flush=True)  # noqa: T201
        if found:
            self._blockers = found
