"""The loop of a worker: embed all that waits, then wait for more, and do not mind a server that restarts."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence

import psycopg
from psycopg import sql

from pgaudience.database import Connection, Space, SpaceConnection, connect, is_pooled, open_space
from pgaudience.embedding.provider import Provider
from pgaudience.errors import PgaudienceError
from pgaudience.pipeline import space_provider
from pgaudience.worker.desk import Desk, log
from pgaudience.worker.presence import presence

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
NAP_SECONDS = 0.5
"""How long it takes an idle worker to notice that it shall stop."""


def run_worker(conninfo: str, schemas: Sequence[str], *, poll: float, base_url: str | None) -> None:
    """Run a worker until SIGTERM or SIGINT; a second signal does not wait for the batch in hand.

    Raises what Worker.run raises.
    """
    worker = Worker(conninfo, schemas, poll=poll, base_url=base_url)
    former = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def stop(number: int, _: object) -> None:
        worker.stop()
        signal.signal(number, former[signal.Signals(number)])

    for number in former:
        signal.signal(number, stop)
    worker.run()


class Worker:
    """Embeds the entries and the queries of its spaces, as they appear.

    It is called by NOTIFY, and looks by itself every `poll` seconds. Any number of workers share the work of a space:
    what one has claimed the others skip, and what it had in hand when it died, they find again. Spaces of one model
    and of the same dimensions share a provider.
    """

    def __init__(self, conninfo: str, schemas: Sequence[str], *, poll: float, base_url: str | None) -> None:
        self._conninfo, self._schemas, self._poll, self._base_url = conninfo, schemas, poll, base_url
        self._providers: dict[tuple[str, int], Provider] = {}
        self._pause = FIRST_PAUSE_SECONDS
        self._started = self._stopping = False

    def stop(self) -> None:
        """Have `run` return as soon as the batch in hand is committed."""
        self._stopping = True

    def run(self) -> None:
        """Work until `stop` is called; a lost connection is made anew, after pauses that grow.

        Raises PgaudienceError when, at the start, the server is out of reach, is behind a pooler, or a schema is not a
        space.
        """
        while not self._stopping:
            try:
                self._run_session()
            except (psycopg.Error, PgaudienceError) as error:
                if not self._started:
                    raise
                reason, _, _ = str(error).strip().partition("\n")
                log(f"{reason}; connecting again in {self._pause:g} s")
                self._sleep(self._pause)
                self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)
        log("Stopped")

    def _run_session(self) -> None:
        with connect(self._conninfo, autocommit=True) as connection:
            _check_is_direct(connection)
            spaces = [open_space(connection, schema) for schema in self._schemas]
            with presence(self._conninfo, connection, self._schemas):
                for space in spaces:
                    channel = sql.Identifier(f"pgaudience_{space.schema}")
                    connection.execute(sql.SQL("listen {}").format(channel))
                log(f"Waiting for texts of {', '.join(self._schemas)}")
                self._started = True
                desks = [Desk(connection, space, self._provider_of, self._poll) for space in spaces]
                while not self._stopping:
                    self._clear(desks)
                    self._pause = FIRST_PAUSE_SECONDS
                    self._wait(connection)

    def _clear(self, desks: Sequence[Desk]) -> None:
        """Embed all that waits: a batch of entries of each space in turn, and before each of them every query."""
        busy = list(desks)
        while busy and not self._stopping:
            for desk in list(busy):
                for each in desks:
                    each.answer_queries()
                if not self._stopping and not desk.embed_batch():
                    busy.remove(desk)
        for desk in desks:
            desk.report()

    def _provider_of(self, space: Space) -> Provider:
        key = (space.model, space.dimensions)
        if key not in self._providers:
            self._providers[key] = space_provider(space, self._base_url)
        return self._providers[key]

    def _wait(self, connection: Connection) -> None:
        """Return when called, by a call that came during work too, or when it is time to look, or to stop."""
        end = time.monotonic() + self._poll
        while not self._stopping and time.monotonic() < end:
            if list(connection.notifies(timeout=NAP_SECONDS, stop_after=1)):
                return

    def _sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._stopping and time.monotonic() < end:
            time.sleep(NAP_SECONDS)


def _check_is_direct(connection: SpaceConnection) -> None:
    if is_pooled(connection):
        raise PgaudienceError(
            "a worker needs a direct connection: through a pooler PostgreSQL cannot call it (LISTEN)",
            "Give it the address of the server itself; everything else may use the pooler.",
        )
