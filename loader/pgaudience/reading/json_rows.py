"""JSON documents, streamed: an array of records, or entries and frequencies nested under their users."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar, cast

import ijson  # pyright: ignore[reportMissingTypeStubs]

from pgaudience.errors import PgaudienceError
from pgaudience.reading.files import InputFile, explained
from pgaudience.reading.reasons import DEEPEST_JSON, NOT_A_LIST_OF_ENTRIES, NOT_AN_OBJECT
from pgaudience.reading.record_table import ROWS_A_BATCH, RecordBatch, RecordTable
from pgaudience.reading.rejects import Reject
from pgaudience.reading.table import Batch
from pgaudience.reading.values import as_json

BATCH_BYTES = 1 << 20
HEAD_BYTES = 1 << 12

T = TypeVar("T")
Events = Iterator[tuple[str, Any]]


def json_table(file: InputFile) -> RecordTable | NestedTable:
    """Read a JSON document, its shape told by its first character: records in an array, or an object of users.

    A row's line is its ordinal, as JSON has no lines. Raises PgaudienceError where the document is broken; the rows
    before that place have been read by then.
    """
    file.skip_mark()
    with explained(file.name):
        beginning = file.stream.tell()
        first = file.stream.read(HEAD_BYTES).lstrip()[:1]
        file.stream.seek(beginning)
    if first == b"[":
        return RecordTable(_records(file))
    if first == b"{":
        return NestedTable(file)
    raise PgaudienceError(
        f"{file.name} is neither a JSON array nor a JSON object",
        'write [{"user_id": …, "entry": …}, …] or {"user": {"entry": frequency}}',
    )


class NestedTable:
    """The rows of {user: {entry: frequency}} and of {user: [entry, …]}, where each entry counts 1.

    A key that occurs twice gives two rows.
    """

    header: Sequence[str] = ("user_id", "entry", "frequency")

    def __init__(self, file: InputFile) -> None:
        self._file = file

    def batches(self, names: Sequence[str]) -> Iterator[Batch]:
        """Read these columns of all rows."""
        places = [self.header.index(name) for name in names]
        events: Events = ijson.basic_parse(self._file.stream)
        for first_line, items in _batched(self._file, _nested_rows(events)):
            numbered = list(enumerate(items, first_line))
            rows = [(line, item) for line, item in numbered if len(item) == len(self.header)]
            broken = [(line, item) for line, item in numbered if len(item) != len(self.header)]
            yield Batch(
                columns=[[row[place] for _, row in rows] for place in places],
                written=lambda row, rows=rows: (rows[row][0], as_json(rows[row][1])),
                rejected=[Reject(line, NOT_A_LIST_OF_ENTRIES, as_json(item)) for line, item in broken],
                consumed=self._file.position(),
            )


def _nested_rows(events: Events) -> Iterator[tuple[object, ...]]:
    """Give (user, entry, frequency), and (user, value) where a user has neither an object nor a list."""
    next(events)  # the opening brace
    for _, user in _until("end_map", events):
        kind, value = next(events)
        if kind == "start_map":
            for _, entry in _until("end_map", events):
                yield user, entry, _value(next(events), events, depth=3)
        elif kind == "start_array":
            for event in _until("end_array", events):
                yield user, _value(event, events, depth=3), 1
        else:
            yield user, value
    next(events, None)  # raises if there is more


def _until(end: str, events: Events) -> Iterator[tuple[str, Any]]:
    for event in events:
        if event[0] == end:
            return
        yield event


def _value(event: tuple[str, Any], events: Events, depth: int) -> object:
    """Build the value that begins with an event; a list or an object there is the `depth`-th around its content.

    A document may be made to nest without end, and so to fill any memory: it has to stop somewhere.
    """
    kind, value = event
    if kind not in {"start_map", "start_array"}:
        return value
    if depth > DEEPEST_JSON:
        raise ijson.JSONError(f"nested deeper than {DEEPEST_JSON}")
    if kind == "start_array":
        return [_value(inner, events, depth + 1) for inner in _until("end_array", events)]
    return {key: _value(next(events), events, depth + 1) for _, key in _until("end_map", events)}


def _records(file: InputFile) -> Iterator[RecordBatch]:
    for first_line, items in _batched(file, _items(ijson.basic_parse(file.stream))):
        batch = RecordBatch([], [], [], file.position())
        for line, item in enumerate(items, first_line):
            if isinstance(item, dict):
                batch.records.append(item)  # type: ignore[arg-type]
                batch.written.append((line, as_json(cast("object", item))))
            else:
                batch.rejected.append(Reject(line, NOT_AN_OBJECT, as_json(item)))
        yield batch


def _items(events: Events) -> Iterator[object]:
    next(events)  # the opening bracket
    for event in _until("end_array", events):
        yield _value(event, events, depth=2)
    next(events, None)  # raises if there is more


def _batched(file: InputFile, items: Iterable[T]) -> Iterator[tuple[int, list[T]]]:
    """Gather items until there are many, or until they are large; each batch with the ordinal of its first."""
    first, batch = 1, list[T]()
    end = file.stream.tell() + BATCH_BYTES
    try:
        with explained(file.name):
            for item in items:
                batch.append(item)
                if len(batch) >= ROWS_A_BATCH or file.stream.tell() >= end:
                    yield first, batch
                    first, batch, end = first + len(batch), [], file.stream.tell() + BATCH_BYTES
    except ijson.JSONError as error:
        raise _broken(file.name, first + len(batch), error) from error
    yield first, batch


def _broken(source: str, row: int, error: ijson.JSONError) -> PgaudienceError:
    said = error.args[0] if error.args else ""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    what, _, place = text.partition("\n")
    near = " ".join(place.replace("(right here) ------^", "").split())
    return PgaudienceError(
        f"{source} is not valid JSON at row {row:,}: {what.strip()}" + (f", near {near}" if near else ""),
        "mend it there; if it has one object a line, name the format: --format jsonl",
    )
