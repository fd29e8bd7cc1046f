"""Which format a file has."""

from __future__ import annotations

from pathlib import PurePath

from pgaudience.errors import PgaudienceError
from pgaudience.reading.delimited import DelimitedTable
from pgaudience.reading.files import InputFile
from pgaudience.reading.json_lines import json_lines_table
from pgaudience.reading.json_rows import json_table
from pgaudience.reading.parquet import ParquetTable
from pgaudience.reading.table import Table

FORMATS = ("csv", "tsv", "json", "jsonl", "parquet")

FORMAT_OF_SUFFIX = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}


def format_of(name: str) -> str:
    """Tell the format a file's name speaks of, a final .gz aside; raise PgaudienceError where it speaks of none."""
    path = PurePath(name.lower().removesuffix(".gz"))
    if path.suffix not in FORMAT_OF_SUFFIX:
        raise PgaudienceError(
            f"the name of {name} does not tell its format", f"name it with --format: {', '.join(FORMATS)}"
        )
    return FORMAT_OF_SUFFIX[path.suffix]


def open_table(file: InputFile, file_format: str) -> Table:
    """Begin to read a file in one of the FORMATS."""
    match file_format:
        case "csv":
            return DelimitedTable(file)
        case "tsv":
            return DelimitedTable(file, delimiter="\t")
        case "json":
            return json_table(file)
        case "jsonl":
            return json_lines_table(file)
        case "parquet":
            return ParquetTable(file)
        case _:
            raise PgaudienceError(f"no format is called {file_format!r}", f"choose one of: {', '.join(FORMATS)}")
