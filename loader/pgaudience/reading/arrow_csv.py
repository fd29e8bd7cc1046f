"""CSV without quotes, cut into columns by pyarrow."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Any

from pgaudience.reading.coded import Coded

LEAST_CHARACTERS = 1 << 18  # below, the import costs more than it saves


def cut(text: str, delimiter: str, width: int, places: Sequence[int]) -> list[Coded] | None:
    """Cut lines that end with LF into the columns at `places`.

    None where pyarrow is not installed or not worth it, or a line has not `width` fields or is not UTF-8.
    """
    arrow = _arrow() if len(text) >= LEAST_CHARACTERS else None
    if arrow is None:
        return None
    names = list(map(str, range(width)))
    chosen = [names[place] for place in dict.fromkeys(places)]
    try:
        data = text.encode()
        table = arrow.csv.read_csv(
            arrow.BufferReader(data),
            arrow.csv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=names),
            arrow.csv.ParseOptions(delimiter=delimiter, quote_char=False, ignore_empty_lines=False),
            arrow.csv.ConvertOptions(
                include_columns=chosen,
                column_types=dict.fromkeys(chosen, arrow.dictionary(arrow.int32(), arrow.string())),
            ),
        )
    except (UnicodeEncodeError, arrow.ArrowException):
        return None
    columns = {name: _coded(arrow, table.column(name).combine_chunks()) for name in chosen}
    # A blank line is a row of blanks to pyarrow.
    if all("" in column.texts for column in columns.values()) and (text.startswith("\n") or "\n\n" in text):
        return None
    return [columns[names[place]] for place in places]


@cache
def _arrow() -> Any:
    """Import pyarrow, which has no types, if it is installed."""
    try:
        import_module("pyarrow.compute")
        import_module("pyarrow.csv")
        return import_module("pyarrow")
    except ImportError:
        return None


def _coded(arrow: Any, array: Any) -> Coded:
    """Take the texts without spaces before them, as the csv module does."""
    return Coded(arrow.compute.utf8_ltrim(array.dictionary, " ").to_pylist(), array.indices.to_numpy())
