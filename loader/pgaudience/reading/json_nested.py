"""JSON of entries and frequencies nested under their users."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pgaudience.reading.json_text import BATCH_CHARACTERS, JsonText
from pgaudience.reading.reasons import NOT_A_LIST_OF_ENTRIES, Reason
from pgaudience.reading.rejects import Reject
from pgaudience.reading.table import ROWS_A_BATCH, Batch
from pgaudience.reading.values import as_json

Row = tuple[object, object, object]


@dataclass(slots=True)
class _Rows:
    """Some rows, each with its ordinal, and what was no row."""

    rows: list[Row] = field(default_factory=list[Row])
    lines: list[int] = field(default_factory=list[int])
    rejected: list[Reject] = field(default_factory=list[Reject])

    def count(self) -> int:
        """Count them all."""
        return len(self.rows) + len(self.rejected)

    def written(self, row: int) -> tuple[int, str]:
        """Give the ordinal of a row, and the row."""
        return self.lines[row], as_json(self.rows[row])


class NestedTable:
    """The rows of {user: {entry: frequency}} and of {user: [entry, …]}, where each entry counts 1.

    A key that occurs twice gives two rows. A row's line is its ordinal.
    """

    header: Sequence[str] = ("user_id", "entry", "frequency")

    def __init__(self, text: JsonText) -> None:
        self._text = text

    def batches(self, names: Sequence[str]) -> Iterator[Batch]:
        """Read these columns of all rows."""
        places = [self.header.index(name) for name in names]
        for batch in self._batches():
            columns = [[row[place] for row in batch.rows] for place in places]
            yield Batch(columns, batch.written, batch.rejected, self._text.position())

    def _batches(self) -> Iterator[_Rows]:
        text = self._text
        batch, end = _Rows(), BATCH_CHARACTERS
        for *row, fault in self._rows():
            if fault is None:
                batch.rows.append((row[0], row[1], row[2]))
                batch.lines.append(text.row)
            else:
                batch.rejected.append(Reject(text.row, fault, as_json(row)))
            text.row += 1
            if batch.count() >= ROWS_A_BATCH or text.read >= end:
                yield batch
                batch, end = _Rows(), text.read + BATCH_CHARACTERS
        yield batch

    def _rows(self) -> Iterator[tuple[object, object, object, Reason | None]]:
        """Give user, entry and frequency, and what is wrong with the row."""
        text = self._text
        for user in text.names():
            match text.peek():
                case "{":
                    for entry in text.names():
                        frequency, _, fault = text.value()
                        yield user, entry, frequency, fault
                case "[":
                    for entry, _, fault in text.values():
                        yield user, entry, 1, fault
                case _:
                    value, _, fault = text.value()
                    yield user, value, None, fault or NOT_A_LIST_OF_ENTRIES
        text.take("")
