"""The work of one space: its queries, and its entries batch by batch."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator

from pgaudience.database import ModelChanged, Space, SpaceConnection, open_space, use_schema
from pgaudience.embedding.embed import Embedded, embed_batches
from pgaudience.embedding.provider import Provider
from pgaudience.embedding.queries import embed_waiting_queries
from pgaudience.embedding.registry import TFIDF
from pgaudience.embedding.terms import embed_by_terms
from pgaudience.errors import PgaudienceError
from pgaudience.progress import LOG_EVERY_SECONDS


class Desk:
    """What waits in one space, done in turns that each end outside a transaction.

    A text the model refuses is not tried again here: `pgaudience embed` does so, and for a query whoever asks again.
    After a failure of the model or its service the space rests for `rest` seconds.
    """

    def __init__(
        self, connection: SpaceConnection, space: Space, provider_of: Callable[[Space], Provider], rest: float
    ) -> None:
        self._connection, self._space, self._provider_of, self._rest = connection, space, provider_of, rest
        self._rests_until = self._reported_at = 0.0
        self._batches: Iterator[Embedded] | None = None
        self._done = Embedded()

    def answer_queries(self) -> None:
        """Embed the queries that wait; in a space of tfidf none does."""
        if self._space.model == TFIDF:
            return
        self._take_turn(lambda: embed_waiting_queries(self._connection, self._provider_of(self._space), refused=False))

    def embed_batch(self) -> bool:
        """Embed a batch of the entries that wait; return False when there is none, or the space rests."""
        return self._take_turn(self._embed_words if self._space.model == TFIDF else self._next_batch)

    def report(self) -> None:
        """Log what was done since the last report, if anything."""
        if self._done.stored:
            log(f"{self._space.schema}: embedded {self._done.stored:,} texts with {self._space.model}")
        if self._done.failed:
            log(
                f"{self._space.schema}: {self._done.failed:,} texts were refused;"
                " the tables entry_failures and queries say why"
            )
        self._done = Embedded()
        self._reported_at = time.monotonic()

    def _embed_words(self) -> Embedded | None:
        done = embed_by_terms(self._connection, self._space)
        return done if done.stored else None

    def _next_batch(self) -> Embedded | None:
        if self._batches is None:
            self._batches = embed_batches(self._connection, self._provider_of(self._space))
        batch = next(self._batches, None)
        if batch is None:
            self._batches = None
        return batch

    def _take_turn(self, turn: Callable[[], Embedded | None]) -> bool:
        if time.monotonic() < self._rests_until:
            return False
        use_schema(self._connection, self._space.schema)
        try:
            done = turn()
        except ModelChanged:
            self._space = open_space(self._connection, self._space.schema)
            self._batches = None
            log(f"{self._space.schema}: goes on with {self._space.model}, which it has by now")
            return True
        except PgaudienceError as error:
            log(f"{self._space.schema}: {error.message}; trying again in {self._rest:g} s")
            if error.hint:
                log(f"Hint: {error.hint}")
            self._rests_until = time.monotonic() + self._rest
            self._batches = None
            return False
        if done is not None:
            self._done += done
        if time.monotonic() - self._reported_at >= LOG_EVERY_SECONDS:
            self.report()
        return done is not None


def log(line: str) -> None:
    """Print a line on stderr, at once."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201
