"""A table of JSON records: objects whose keys are the columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from pgaudience.reading.rejects import Reject
from pgaudience.reading.table import Batch

ROWS_A_BATCH = 10_000


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """Some records, each with its line and its text as written, and what was no record."""

    records: list[dict[str, object]]
    written: list[tuple[int, str]]
    rejected: list[Reject]
    consumed: int


class RecordTable:
    """Records as rows. A key that a record lacks is a blank.

    The header has the keys of the first batch, about 10,000 records, in the order in which they turn up.
    """

    def __init__(self, batches: Iterator[RecordBatch]) -> None:
        first = next(batches, RecordBatch([], [], [], 0))
        self.header: Sequence[str] = list(dict.fromkeys(key for record in first.records for key in record))
        self._batches = chain([first], batches)

    def batches(self, names: Sequence[str]) -> Iterator[Batch]:
        """Read these columns of all records."""
        for batch in self._batches:
            columns = [[record.get(name) for record in batch.records] for name in names]
            yield Batch(columns, batch.written.__getitem__, batch.rejected, batch.consumed)
