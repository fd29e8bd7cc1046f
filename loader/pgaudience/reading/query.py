"""Rows of a query on another database, through SQLAlchemy."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import URL, Connection, create_engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from pgaudience.errors import PgaudienceError
from pgaudience.reading.table import ROWS_A_BATCH, Batch
from pgaudience.reading.values import as_json

READ_ONLY = {
    "postgresql": "set transaction read only",
    "mysql": "set session transaction read only",
    "mariadb": "set session transaction read only",
    "sqlite": "pragma query_only = on",
}


class QueryTable:
    """The result of a query, streamed; also its own origin. A row's line is its ordinal.

    The session is read-only where the database knows such a thing, and nothing is ever committed. The digest is that
    of the rows in the order in which they came, so it repeats only if the query has an `order by`.
    """

    size: int | None = None

    def __init__(self, sql: str, url: str) -> None:
        parsed = _parsed(url)
        self.name = f"query on {parsed.render_as_string(hide_password=True)}"
        self._digest = hashlib.sha256()
        self._is_read = False
        with self._explained():
            try:
                self._engine = create_engine(parsed)
            except ImportError as error:
                raise PgaudienceError(
                    f"the driver for {parsed.drivername} is missing: {error}",
                    "install it, or name another in the URL, as in mysql+pymysql://…",
                ) from error
            self._connection = _read_only(self._engine.connect())
            streamed = self._connection.execution_options(stream_results=True, no_parameters=True)
            self._result = streamed.exec_driver_sql(sql)
        if not self._result.returns_rows:
            raise PgaudienceError(f"the {self.name} returns no rows", "pass a select")
        self.header: Sequence[str] = list(self._result.keys())

    def batches(self, names: Sequence[str]) -> Iterator[Batch]:
        """Read these columns of all rows."""
        places = [self.header.index(name) for name in names]
        first = 1
        with self._explained():
            for rows in self._result.partitions(ROWS_A_BATCH):
                values = "".join(map(repr, map(tuple, rows)))  # the repr of a Row is cut short
                self._digest.update(values.encode("utf-8", "surrogatepass"))
                by_column = list(zip(*rows, strict=True))
                yield Batch(
                    columns=[by_column[place] for place in places],
                    written=lambda row, rows=rows, first=first: (
                        first + row,
                        as_json(dict(zip(self.header, rows[row], strict=True))),
                    ),
                    rejected=(),
                    consumed=0,
                )
                first += len(rows)
        self._is_read = True

    def digest(self) -> bytes:
        """SHA-256 of the rows; known once all of them are read."""
        if not self._is_read:
            raise RuntimeError("the digest of a query is known once its rows are read")
        return self._digest.digest()

    def close(self) -> None:
        """Close the connection; whatever the query may have changed is rolled back."""
        self._connection.close()
        self._engine.dispose()

    @contextmanager
    def _explained(self) -> Generator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            cause = getattr(error, "orig", None) or error
            raise PgaudienceError(
                f"the {self.name} failed: {str(cause).strip().splitlines()[0]}", "check --query and --source"
            ) from error


def _parsed(url: str) -> URL:
    """Take psycopg 3 as the driver of a plain PostgreSQL URL."""
    try:
        parsed = make_url(url)
        if parsed.drivername in {"postgresql", "postgres"}:
            return parsed.set(drivername="postgresql+psycopg")
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise PgaudienceError(
            "the --source is not a database URL", "write it as in postgresql://user@host/db"
        ) from error
    return parsed


def _read_only(connection: Connection) -> Connection:
    statement = READ_ONLY.get(connection.dialect.name)
    if statement is not None:
        connection.exec_driver_sql(statement)
    return connection
