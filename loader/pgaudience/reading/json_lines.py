"""JSON lines: one object a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import cast

from pgaudience.reading.files import InputFile
from pgaudience.reading.lines import lines_of, read_text
from pgaudience.reading.reasons import BROKEN_JSON, DEEP_JSON, DEEPEST_JSON, NOT_AN_OBJECT
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
    except ValueError:
        batch.rejected.append(Reject(number, BROKEN_JSON, text))
        return
    except RecursionError:
        batch.rejected.append(Reject(number, DEEP_JSON, text))
        return
    if text.count("[") + text.count("{") > DEEPEST_JSON and _is_deep(record):
        batch.rejected.append(Reject(number, DEEP_JSON, text))
    elif isinstance(record, dict):
        batch.records.append(record)  # type: ignore[arg-type]
        batch.written.append((number, text))
    else:
        batch.rejected.append(Reject(number, NOT_AN_OBJECT, text))


def _is_deep(value: object) -> bool:
    """Whether lists and objects are nested deeper than allowed, found layer by layer."""
    layer = [value]
    for _ in range(DEEPEST_JSON):
        layer = [inner for outer in layer for inner in _inside(outer)]
    return any(isinstance(inner, list | dict) for inner in layer)


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return cast("dict[str, object]", value).values()
    return cast("list[object]", value) if isinstance(value, list) else ()
