"""Which format a file has."""

from __future__ import annotations

from pathlib import PurePath

from pgaudience.errors import PgaudienceError
from pgaudience.reading.delimited import DelimitedTable
from pgaudience.reading.files import InputFile
from pgaudience.reading.json_nested import NestedTable
from pgaudience.reading.json_records import RecordTable, json_array_table, json_lines_table
from pgaudience.reading.json_text import JsonText
from pgaudience.reading.packing import PACKED_SUFFIXES
from pgaudience.reading.parquet import ParquetTable
from pgaudience.reading.spreadsheet import SpreadsheetTable
from pgaudience.reading.table import Table

FORMATS = ("csv", "tsv", "json", "jsonl", "parquet", "xlsx")

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
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".xlsb": "xlsx",
    ".xls": "xlsx",
    ".ods": "xlsx",
}


def format_of(name: str) -> str | None:
    """Tell the format that a file's name speaks of, what it is packed by aside; None where only a zip file can tell.

    Raises PgaudienceError where the name speaks of none.
    """
    path = PurePath(name.lower())
    if path.suffix in PACKED_SUFFIXES and PurePath(path.stem).suffix in FORMAT_OF_SUFFIX:
        path = PurePath(path.stem)
    if path.suffix not in FORMAT_OF_SUFFIX:
        if path.suffix == ".zip":
            return None
        raise PgaudienceError(
            f"the name of {name} does not tell its format", f"name it with --format: {', '.join(FORMATS)}"
        )
    return FORMAT_OF_SUFFIX[path.suffix]


def open_table(file: InputFile, file_format: str | None, delimiter: str | None = None) -> Table:
    """Begin to read a file in one of the FORMATS; None: the name of the file in the zip file tells it."""
    file_format = file_format or format_of(file.member or file.name) or "zip"
    if delimiter is not None and file_format not in {"csv", "tsv"}:
        raise PgaudienceError(f"{file.name} is {file_format}, which has no delimiter", "leave out --delimiter")
    match file_format:
        case "csv":
            return DelimitedTable(file, delimiter)
        case "tsv":
            return DelimitedTable(file, delimiter, usual="\t")
        case "json":
            return json_table(file)
        case "jsonl":
            return json_lines_table(file)
        case "parquet":
            return ParquetTable(file)
        case "xlsx":
            return SpreadsheetTable(file)
        case _:
            raise PgaudienceError(f"no format is called {file_format!r}", f"choose one of: {', '.join(FORMATS)}")


def json_table(file: InputFile) -> RecordTable | NestedTable:
    """Read a JSON document, its shape told by its first character: records in an array, or an object of users.

    Raises PgaudienceError where the document is broken; the rows before that place have been read by then.
    """
    text = JsonText(file)
    match text.peek():
        case "[":
            return json_array_table(text)
        case "{":
            return NestedTable(text)
        case _:
            raise PgaudienceError(
                f"{file.name} is neither a JSON array nor a JSON object",
                'write [{"user_id": …, "entry": …}, …] or {"user": {"entry": frequency}}',
            )
