"""JSON lines: one object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pgaudience.reading.files import InputFile
from pgaudience.reading.lines import lines_of, read_text
from pgaudience.reading.reasons import BROKEN_JSON, NOT_AN_OBJECT
from pgaudience.reading.record_table import RecordBatch, RecordTable
from pgaudience.reading.rejects import Reject


def json_lines_table(file: InputFile) -> RecordTable:
    """Read a JSON lines file. A broken line is a rejected row; a blank line is none."""
    return RecordTable(_batches(file))


def _batches(file: InputFile) -> Iterator[RecordBatch]:
    number = 0
    for block in read_text(file):
        batch = RecordBatch([], [], [], file.position())
        for number, line in enumerate(lines_of(block), number + 1):  # noqa: B020  (counts on from block to block)
            text = line.strip()
            if text:
                _add(batch, number, text)
        yield batch


def _add(batch: RecordBatch, number: int, text: str) -> None:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        batch.rejected.append(Reject(number, BROKEN_JSON, text))
        return
    if isinstance(record, dict):
        batch.records.append(record)  # type: ignore[arg-type]
        batch.written.append((number, text))
    else:
        batch.rejected.append(Reject(number, NOT_AN_OBJECT, text))
