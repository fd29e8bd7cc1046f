"""Files that appear whole or not at all: CSV, JSON lines, Parquet; - is standard output."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import IO, Any, Protocol

from pgaudience.errors import PgaudienceError
from pgaudience.replacing import PRIVATE, replacing

Row = Sequence[object]

FORMATS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}


class Writer(Protocol):
    """Where rows go."""

    def write(self, rows: Sequence[Row]) -> None:
        """Write some rows."""
        ...

    def close(self) -> None:
        """Write what is left."""
        ...


def format_of(to: str, given: str | None) -> str:
    """Return the format: the one given, else that of the file's name; standard output is CSV by default.

    Raises PgaudienceError where nothing says it.
    """
    found = given or ("csv" if to == "-" else FORMATS.get(Path(to).suffix.lower()))
    if found is None:
        raise PgaudienceError(f"the name of {to} does not say its format", "Add --format csv, jsonl or parquet.")
    return found


@contextmanager
def open_writer(to: str, kind: str, columns: Mapping[str, str]) -> Generator[Writer]:
    """Write to a file that takes its place when the block ends well, and is never seen before.

    `columns` has the types by name: text, bigint, double precision, text[], timestamptz.

    Raises PgaudienceError when the file cannot be written.
    """
    if to == "-":
        writer = _WRITERS[kind](sys.stdout.buffer, columns)
        yield writer
        writer.close()
        sys.stdout.flush()
        return
    with replacing(Path(to), PRIVATE) as file:
        writer = _WRITERS[kind](file, columns)
        yield writer
        writer.close()


class _Csv:
    def __init__(self, file: IO[bytes], columns: Mapping[str, str]) -> None:
        import io

        self._text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        self._writer = csv.writer(self._text, lineterminator="\n")
        self._writer.writerow(columns)

    def write(self, rows: Sequence[Row]) -> None:
        self._writer.writerows([_plain(value) for value in row] for row in rows)

    def close(self) -> None:
        self._text.detach()


class _JsonLines:
    def __init__(self, file: IO[bytes], columns: Mapping[str, str]) -> None:
        self._file, self._names = file, list(columns)

    def write(self, rows: Sequence[Row]) -> None:
        lines = (
            json.dumps(dict(zip(self._names, row, strict=True)), ensure_ascii=False, default=_plain) for row in rows
        )
        self._file.write("".join(line + "\n" for line in lines).encode())

    def close(self) -> None:
        pass


class _Parquet:
    def __init__(self, file: IO[bytes], columns: Mapping[str, str]) -> None:
        try:
            parquet: Any = import_module("pyarrow.parquet")
            self._arrow: Any = import_module("pyarrow")
        except ImportError as error:
            raise PgaudienceError("writing Parquet needs pyarrow", 'pip install "pgaudience[parquet]"') from error
        types = {
            "bigint": self._arrow.int64(),
            "double precision": self._arrow.float64(),
            "text[]": self._arrow.list_(self._arrow.string()),
            "timestamptz": self._arrow.timestamp("us", tz="UTC"),
            "text": self._arrow.string(),
        }
        self._schema = self._arrow.schema([(name, types[kind]) for name, kind in columns.items()])
        self._writer = parquet.ParquetWriter(file, self._schema)

    def write(self, rows: Sequence[Row]) -> None:
        columns = [list(column) for column in zip(*rows, strict=True)]
        arrays = [self._arrow.array(column, field.type) for column, field in zip(columns, self._schema, strict=True)]
        self._writer.write_table(self._arrow.Table.from_arrays(arrays, schema=self._schema))

    def close(self) -> None:
        self._writer.close()


_WRITERS = {"csv": _Csv, "jsonl": _JsonLines, "parquet": _Parquet}


def _plain(value: object) -> object:
    if isinstance(value, list):
        return "; ".join(map(str, value))  # pyright: ignore[reportUnknownArgumentType]
    return value.isoformat() if isinstance(value, datetime) else value
