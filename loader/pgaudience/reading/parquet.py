"""Parquet files, read in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

from pgaudience.errors import PgaudienceError
from pgaudience.reading.files import InputFile
from pgaudience.reading.record_table import ROWS_A_BATCH
from pgaudience.reading.table import Batch
from pgaudience.reading.values import as_json

BATCH_BYTES = 1 << 24


class ParquetTable:
    """The rows of a Parquet file. A row's line is its ordinal.

    Raises PgaudienceError where pyarrow is not installed, or the file is no Parquet.
    """

    def __init__(self, file: InputFile) -> None:
        self._arrow = arrow = _arrow(file.name)
        self._file = file
        self._broken: tuple[type[Exception], ...] = (arrow.ArrowException, OSError)
        try:
            self._parquet: Any = arrow.parquet.ParquetFile(file.seekable())
        except self._broken as error:
            raise self._explained(error) from error
        self.header: Sequence[str] = self._parquet.schema_arrow.names

    def batches(self, names: Sequence[str]) -> Iterator[Batch]:
        """Read these columns of all rows."""
        metadata = self._parquet.metadata
        row_bytes = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
        batch_rows = max(1, min(ROWS_A_BATCH, BATCH_BYTES * metadata.num_rows // max(row_bytes, 1)))
        done = 0
        try:
            for batch in self._parquet.iter_batches(batch_rows, columns=list(dict.fromkeys(names))):
                values = {name: _values(self._arrow, batch.column(name)) for name in batch.schema.names}
                first, done = done, done + batch.num_rows
                yield Batch(
                    columns=[values[name] for name in names],
                    written=lambda row, values=values, first=first: (
                        first + row + 1,
                        as_json({name: column[row] for name, column in values.items()}),
                    ),
                    rejected=(),
                    consumed=(self._file.size or 0) * done // metadata.num_rows,
                )
        except self._broken as error:
            raise self._explained(error) from error

    def _explained(self, error: Exception) -> PgaudienceError:
        return PgaudienceError(
            f"{self._file.name} is not readable as Parquet: {str(error).splitlines()[0]}",
            "name its true format with --format",
        )


def _arrow(source: str) -> Any:
    """Import pyarrow, which has no types, only when there is Parquet to read."""
    try:
        import_module("pyarrow.parquet")
        return import_module("pyarrow")
    except ImportError as error:
        raise PgaudienceError(f"reading {source} needs pyarrow", 'pip install "pgaudience[parquet]"') from error


def _values(arrow: Any, array: Any) -> list[object]:
    """Turn an Arrow array into Python values: texts keep broken bytes, times lose what is below a microsecond."""
    if arrow.types.is_timestamp(array.type):
        array = array.cast(arrow.timestamp("us"), safe=False)  # in UTC, as Arrow stores what has a zone
    try:
        return array.to_pylist()
    except UnicodeDecodeError:
        return array.cast(arrow.large_binary()).to_pylist()
