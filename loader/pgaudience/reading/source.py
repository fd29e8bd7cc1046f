"""A source of activity: somewhere rows come from, with its columns found."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from pgaudience.reading.cleaning import Chunk, clean
from pgaudience.reading.columns import Columns, resolve
from pgaudience.reading.decimals import Decimals
from pgaudience.reading.files import open_file
from pgaudience.reading.formats import format_of, open_table
from pgaudience.reading.period import Period
from pgaudience.reading.query import QueryTable
from pgaudience.reading.rejects import Rejects
from pgaudience.reading.rows import RowTemplate, clean_rows, row_columns
from pgaudience.reading.sequences import SequenceTemplate
from pgaudience.reading.table import Origin, Table


class Source:
    """Rows of activity to be read once, as clean chunks.

    `columns` says which source columns were found for which part, `size` how many bytes there are to read (None where
    nobody knows), `name` what to call it, `outside` how many good rows read so far were out of the period.
    """

    def __init__(
        self,
        origin: Origin,
        table: Table,
        columns: Columns,
        rejects: Rejects,
        rows: RowTemplate | None = None,
        period: Period | None = None,
        decimal: str | None = None,
        sequences: SequenceTemplate | None = None,
    ) -> None:
        self.name = origin.name
        self.size = origin.size
        if rows is None:
            self.columns = resolve(columns, table.header, origin.name)
        else:
            self.columns = row_columns(table, columns.user, rows, origin.name)
        self.outside = 0
        self._rows = rows
        self._period, self._sequences = period, sequences
        self._decimals = Decimals(decimal)
        self._origin, self._table, self._rejects = origin, table, rejects

    def chunks(self) -> Iterator[Chunk]:
        """Read all rows, some thousand at a time; what is wrong with the others goes to the rejects.

        Raises PgaudienceError at the end where it is not clear what the frequencies mean: see Decimals.
        """
        yield from self._chunks() if self._sequences is None else self._sequences.texts_of(self._chunks(), self.name)
        self._decimals.check(self.name)
        self._rejects.flush()

    def _chunks(self) -> Iterator[Chunk]:
        for batch in self._table.batches(self.columns.names()):
            if self._rows is None:
                chunk = clean(batch, self.columns, self._decimals, self._rejects, self.name)
            else:
                chunk = clean_rows(batch, self.columns, self._rows, self._rejects, self.name)
            if self._period is not None:
                good = len(chunk.users)
                chunk = self._period.within(chunk)
                self.outside += good - len(chunk.users)
            yield chunk

    @property
    def is_known(self) -> bool:
        """Whether the digest is known before the rows are read."""
        return self.size is not None

    def digest(self) -> bytes:
        """SHA-256: of a file's content, decompressed, at any time; of a query's rows, once they are read."""
        content = self._origin.digest()
        content = content if self._period is None else self._period.digest(content)
        return content if self._sequences is None else self._sequences.digest(content)

    def close(self) -> None:
        """Let go of the file or the connection."""
        self._origin.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_source(
    path: str | Path,
    *,
    format: str | None,  # noqa: A002  (the name the command line has for it)
    columns: Columns,
    rejects: Rejects,
    rows: RowTemplate | None = None,
    period: Period | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    sequences: SequenceTemplate | None = None,
    stdin: BinaryIO | None = None,
) -> Source:
    """Open a file of activity, or standard input for `-`, plain or packed.

    With a template for rows, every row is a user with one entry, and all other columns are attributes; with one for
    sequences, every session is an entry. Without a format, the file's name tells it; without a delimiter, the header of
    CSV does; `decimal` is the sign before the decimals of frequencies. Raises PgaudienceError where the file cannot be
    read, its format is not told, its columns are not found, or the rejected rows would go to that very file.
    """
    file_format = format or format_of(str(path))
    rejects.spare(path)
    file = open_file(path, stdin or sys.stdin.buffer)
    try:
        return Source(
            file, open_table(file, file_format, delimiter), columns, rejects, rows, period, decimal, sequences
        )
    except BaseException:
        file.close()
        raise


def open_query(
    sql: str,
    url: str,
    columns: Columns,
    rejects: Rejects,
    rows: RowTemplate | None = None,
    period: Period | None = None,
    decimal: str | None = None,
    sequences: SequenceTemplate | None = None,
) -> Source:
    """Run a query on another database, whose rows are the activity. A plain postgresql:// URL means psycopg 3.

    Raises PgaudienceError where the database or the query fails, or the columns are not found.
    """
    table = QueryTable(sql, url)
    try:
        return Source(table, table, columns, rejects, rows, period, decimal, sequences)
    except BaseException:
        table.close()
        raise
