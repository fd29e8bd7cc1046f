"""A connection whose every transaction sets what it relies on.

Behind a pooler two transactions of one connection may run in two sessions of the server, and what a session was told
may hold for the transactions of somebody else. So nothing is told to the session: each transaction begins with its own
search_path and its own settings, which end with it.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Self, cast

import psycopg
from psycopg.copy import Copy
from psycopg.pq import TransactionStatus
from psycopg.types.json import Json

from pgaudience.errors import PgaudienceError

Connection = psycopg.Connection[tuple[Any, ...]]

SETTINGS = {
    "DateStyle": "ISO",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}
"""What statements of this package suppose, whatever a role or a database has by default; pg_dump does the same."""

# The aggregate is computed first, and so is current_schema() under the new search_path.
_BEGIN = """
select pg_catalog.current_schema(), pg_catalog.pg_backend_pid()
from (
    select pg_catalog.count(pg_catalog.set_config(s.name, s.value, true))
    from pg_catalog.json_each_text(%s) s (name, value)
) done
"""


class SpaceConnection(psycopg.Connection[tuple[Any, ...]]):
    """A connection that a space may be given to, for all transactions from then on.

    In autocommit mode each statement then is a transaction of its own, begun and committed like any other; a procedure
    that commits cannot be called so. Without a space it is a connection like any other.
    """

    schema: str | None = None
    lock_timeout = "10min"
    """How long a statement of a transaction that has a space waits for a lock of any kind."""

    busy_since: float | None = None
    """When the statement began that is running now, by time.monotonic()."""

    _search_path = ""
    _server_pid: int | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cursor_factory = _Cursor
        # What a lock lets through must be seen by the next statement.
        self.isolation_level = psycopg.IsolationLevel.READ_COMMITTED

    @property
    def server_pid(self) -> int:
        """The process of the server that runs the transaction; behind a pooler another one may run the next."""
        return self._server_pid or self.info.backend_pid

    def give_space(self, schema: str, search_path: str) -> None:
        """Work in the space `schema` from now on, with this search_path, also in the transaction that is open.

        A later transaction raises PgaudienceError when it begins and names would be looked up elsewhere, as the schema
        is gone or closed to this role.
        """
        self.schema, self._search_path = schema, search_path
        if self.info.transaction_status is not TransactionStatus.IDLE:
            self._set()

    @contextmanager
    def transaction(
        self, savepoint_name: str | None = None, force_rollback: bool = False
    ) -> Generator[psycopg.Transaction]:
        """Begin a transaction, or a part of the one that is open, for the time of a block."""
        is_new = self.info.transaction_status is TransactionStatus.IDLE
        with super().transaction(savepoint_name, force_rollback) as transaction:
            if is_new and self.schema is not None:
                self._set_up()
            yield transaction

    @contextmanager
    def within_transaction(self) -> Generator[None]:
        """See to it that the statement of a block finds its transaction set up, and note how long it takes."""
        self.busy_since = time.monotonic()
        try:
            with self._begun():
                yield
        finally:
            self.busy_since = None

    @contextmanager
    def _begun(self) -> Generator[None]:
        if self.schema is None or self.info.transaction_status is not TransactionStatus.IDLE:
            yield
        elif self.autocommit:
            with self.transaction():
                yield
        else:
            try:
                self._set_up()
            except BaseException:
                self.rollback()
                raise
            yield

    def _set_up(self) -> None:
        if self._set() != self.schema:
            raise PgaudienceError(
                f"the space {self.schema!r} is gone, or closed to this role",
                "Somebody has dropped its schema or taken rights away since this command began.",
            )

    def _set(self) -> str | None:
        """Set all for this transaction, and return the schema in which names are looked up first."""
        settings = {**SETTINGS, "lock_timeout": self.lock_timeout, "search_path": self._search_path}
        if self.info.server_version >= 170000:
            settings["transaction_timeout"] = "0"
        row = psycopg.Cursor(self).execute(_BEGIN, [Json(settings)]).fetchone()
        current, self._server_pid = row or (None, None)
        return current


class _Cursor(psycopg.Cursor[Any]):
    """A cursor whose statements find their transaction set up."""

    def execute(self, *args: Any, **options: Any) -> Self:
        with self._set_up():
            return super().execute(*args, **options)

    def executemany(self, *args: Any, **options: Any) -> None:
        with self._set_up():
            super().executemany(*args, **options)

    def stream(self, *args: Any, **options: Any) -> Iterator[Any]:
        with self._set_up():
            yield from super().stream(*args, **options)

    @contextmanager
    def copy(self, *args: Any, **options: Any) -> Generator[Copy]:
        with self._set_up(), super().copy(*args, **options) as copy:
            yield copy

    def _set_up(self) -> AbstractContextManager[None]:
        return cast("SpaceConnection", self.connection).within_transaction()
