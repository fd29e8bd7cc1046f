"""Parquet files, read in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np

from pgaudience.errors import PgaudienceError
from pgaudience.reading.arrow import Column, column_of, row_sizes
from pgaudience.reading.files import InputFile
from pgaudience.reading.reasons import LONG_ROW, LONGEST_ROW_BYTES, Reason
from pgaudience.reading.rejects import Reject
from pgaudience.reading.table import ROWS_A_BATCH, Batch
from pgaudience.reading.values import as_json

BATCH_BYTES = 1 << 24
DICTIONARIES = {"RLE_DICTIONARY", "PLAIN_DICTIONARY"}
TEXT_TYPES = {"STRING", "JSON", "ENUM", "NONE"}


class ParquetTable:
    """The rows of a Parquet file. A row's line is its ordinal; one with a value that cannot be read is rejected.

    What a dictionary holds once for many rows is written out for some of them at a time, so that memory is bounded by
    what a file holds, and not by what it stands for.

    Raises PgaudienceError where pyarrow is not installed, or the file is no Parquet.
    """

    def __init__(self, file: InputFile) -> None:
        arrow = _arrow(file.name)
        self._file = file
        self._broken: tuple[type[Exception], ...] = (arrow.ArrowException, OSError)
        try:
            seekable = file.seekable()
            metadata = arrow.parquet.read_metadata(seekable)
            self._parquet: Any = arrow.parquet.ParquetFile(
                seekable, metadata=metadata, read_dictionary=_with_dictionary(metadata)
            )
        except self._broken as error:
            raise self._explained(error) from error
        self.header: Sequence[str] = self._parquet.schema_arrow.names
        if not self.header:
            raise PgaudienceError(f"{file.name} has no columns", "write it anew")

    def batches(self, names: Sequence[str]) -> Iterator[Batch]:
        """Read these columns of all rows."""
        metadata = self._parquet.metadata
        done = 0
        try:
            for batch in self._parquet.iter_batches(_batch_rows(metadata), columns=list(dict.fromkeys(names))):
                for part, too_long in _parts(batch):
                    first, done = done + 1, done + part.num_rows
                    consumed = (self._file.size or 0) * done // metadata.num_rows
                    if too_long:
                        yield Batch([[] for _ in names], _nothing, [Reject(first, LONG_ROW, "…")], consumed)
                    else:
                        yield _batch(part, names, first, consumed)
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


def _with_dictionary(metadata: Any) -> list[str]:
    """Name the columns of texts that have a dictionary in some group of rows."""
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    named = [metadata.schema.column(i).path for i in range(metadata.num_columns)]
    return [
        path
        for i, path in enumerate(named)
        if metadata.schema.column(i).physical_type == "BYTE_ARRAY"
        and metadata.schema.column(i).logical_type.type in TEXT_TYPES
        and named.count(path) == 1
        and any(not DICTIONARIES.isdisjoint(group.column(i).encodings) for group in groups)
    ]


def _batch_rows(metadata: Any) -> int:
    """Tell how many rows have at most BATCH_BYTES, in the group of rows where they are largest."""
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    fixed = sum(metadata.schema.column(i).length for i in range(metadata.num_columns))
    largest = max((group.total_byte_size / group.num_rows for group in groups if group.num_rows), default=0) + fixed
    return max(1, min(ROWS_A_BATCH, int(BATCH_BYTES / max(largest, 1))))


def _parts(batch: Any) -> Iterator[tuple[Any, bool]]:
    """Cut a batch where its texts, if each were written out, have BATCH_BYTES; a row that is too long stands alone."""
    sizes = sum((row_sizes(column) for column in batch.columns), np.zeros(batch.num_rows))
    too_long = sizes > LONGEST_ROW_BYTES
    cuts = np.flatnonzero(np.diff(np.cumsum(sizes) // BATCH_BYTES)) + 1
    around = np.flatnonzero(too_long)
    edges = np.unique(np.concatenate([[0, batch.num_rows], cuts, around, around + 1])).astype(int).tolist()
    for begin, end in pairwise(edges):
        yield batch.slice(begin, end - begin), bool(too_long[begin])


def _batch(part: Any, names: Sequence[str], first: int, consumed: int) -> Batch:
    columns: dict[str, Column] = {name: column_of(part.column(name)) for name in part.schema.names}
    faults: dict[int, Reason] = {row: reason for column in columns.values() for row, reason in column.faults.items()}

    def written(row: int) -> tuple[int, str]:
        return first + row, as_json({name: column.values[row] for name, column in columns.items()})

    if not faults:
        return Batch([columns[name].values for name in names], written, (), consumed)
    good = [row for row in range(part.num_rows) if row not in faults]
    return Batch(
        columns=[[columns[name].values[row] for row in good] for name in names],
        written=lambda row: written(good[row]),
        rejected=[Reject(*_swapped(written(row), faults[row])) for row in sorted(faults)],
        consumed=consumed,
    )


def _swapped(written: tuple[int, str], reason: Reason) -> tuple[int, Reason, str]:
    return written[0], reason, written[1]


def _nothing(row: int) -> tuple[int, str]:
    raise IndexError(row)
