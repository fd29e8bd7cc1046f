"""Records of JSON, one a line or in one array: objects whose keys are the columns; `location.city` of one within."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import cast

from pgaudience.reading.files import InputFile
from pgaudience.reading.json_text import BATCH_CHARACTERS, JsonText, decode, is_deep
from pgaudience.reading.lines import lines_of, read_text
from pgaudience.reading.reasons import BROKEN_JSON, DEEP_JSON, DEEPEST_JSON, NOT_AN_OBJECT, Reason
from pgaudience.reading.rejects import Reject
from pgaudience.reading.table import ROWS_A_BATCH, Batch


@dataclass(slots=True)
class _Records:
    """Some records, each with its line and its text as written, and what was no record."""

    records: list[dict[str, object]] = field(default_factory=list[dict[str, object]])
    written: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    rejected: list[Reject] = field(default_factory=list[Reject])
    consumed: int = 0

    def add(self, line: int, value: object, written: str, fault: Reason | None) -> None:
        """Take what stands in a line, if it is a record."""
        if fault is None and isinstance(value, dict):
            self.records.append(flat(cast("dict[str, object]", value)))
            self.written.append((line, written))
        else:
            self.rejected.append(Reject(line, fault or NOT_AN_OBJECT, written))

    def count(self) -> int:
        """Count them all."""
        return len(self.records) + len(self.rejected)


def flat(record: dict[str, object], above: str = "") -> dict[str, object]:
    """Return a record without objects in it: what is nested has the names on the way to it, joined by dots.

    An object without keys is a blank.
    """
    if not above and not any(isinstance(value, dict) for value in record.values()):
        return record
    columns: dict[str, object] = {}
    for name, value in record.items():
        if isinstance(value, dict) and value:
            columns |= flat(cast("dict[str, object]", value), f"{above}{name}.")
        else:
            columns[above + name] = None if value == {} else value
    return columns


class RecordTable:
    """Records as rows. A key that a record lacks is a blank.

    The header has the keys of the first batch, about 10,000 records, in the order in which they turn up; it is empty
    where there are no records.
    """

    def __init__(self, batches: Iterator[_Records]) -> None:
        first = next(batches, _Records())
        self.header: Sequence[str] = list(dict.fromkeys(key for record in first.records for key in record))
        self._batches = chain([first], batches)

    def batches(self, names: Sequence[str]) -> Iterator[Batch]:
        """Read these columns of all records."""
        for batch in self._batches:
            columns = [[record.get(name) for record in batch.records] for name in names]
            yield Batch(columns, batch.written.__getitem__, batch.rejected, batch.consumed)


def json_lines_table(file: InputFile) -> RecordTable:
    """Read a JSON lines file. A broken line is a rejected row; a blank line is none."""
    return RecordTable(_of_lines(file))


def json_array_table(text: JsonText) -> RecordTable:
    """Read an array of records. A record's line is its ordinal, as JSON has no lines."""
    return RecordTable(_of_array(text))


def _of_lines(file: InputFile) -> Iterator[_Records]:
    number = 0
    for block in read_text(file):
        batch = _Records(consumed=file.position())
        for number, line in enumerate(lines_of(block), number + 1):  # noqa: B020  (counts on from block to block)
            text = line.strip()
            if text:
                batch.add(number, *_value(text))
        yield batch


def _value(text: str) -> tuple[object, str, Reason | None]:
    try:
        value, end, fault = decode(text, 0)
    except json.JSONDecodeError:
        return None, text, BROKEN_JSON
    except RecursionError:
        return None, text, DEEP_JSON
    if end < len(text):
        fault = BROKEN_JSON
    elif text.count("[") + text.count("{") > DEEPEST_JSON and is_deep(value):
        fault = DEEP_JSON
    return value, text, fault


def _of_array(text: JsonText) -> Iterator[_Records]:
    batch, end = _Records(), BATCH_CHARACTERS
    for value, written, fault in text.values():
        batch.add(text.row, value, written, fault)
        text.row += 1
        if batch.count() >= ROWS_A_BATCH or text.read >= end:
            batch.consumed = text.position()
            yield batch
            batch, end = _Records(), text.read + BATCH_CHARACTERS
    text.take("")
    batch.consumed = text.position()
    yield batch
