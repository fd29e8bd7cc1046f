"""The first sheet of a spreadsheet: Excel or OpenDocument."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from itertools import islice
from typing import Any

from pgaudience.errors import PgaudienceError
from pgaudience.reading.files import InputFile
from pgaudience.reading.table import ROWS_A_BATCH, Batch
from pgaudience.reading.values import as_json, to_text


class SpreadsheetTable:
    """The rows of the first sheet, below the first one that is not blank: that has the names of the columns.

    A row's line is its number in the sheet. Blank rows are none, and cells beyond the last name are left out.

    Raises PgaudienceError where python-calamine is not installed, the file is no spreadsheet, or the sheet is empty.
    """

    def __init__(self, file: InputFile) -> None:
        calamine = _calamine(file.name)
        self._file = file
        try:
            sheet: Any = calamine.CalamineWorkbook.from_filelike(file.seekable()).get_sheet_by_index(0)
        except calamine.CalamineError as error:
            raise PgaudienceError(
                f"{file.name} is not readable as a spreadsheet: {str(error).splitlines()[0]}",
                "name its true format with --format",
            ) from error
        self._height: int = sheet.height
        self._rows: Iterator[tuple[int, Sequence[object]]] = (
            (line, row) for line, row in enumerate(sheet.iter_rows(), 1) if any(map(to_text, row))
        )
        _, names = next(self._rows, (0, ()))
        self.header: Sequence[str] = [to_text(name).strip() for name in names]
        if not names:
            raise PgaudienceError(f"the first sheet of {file.name} is empty", "move the one to load to the front")

    def batches(self, names: Sequence[str]) -> Iterator[Batch]:
        """Read these columns of all rows."""
        places = [self.header.index(name) for name in names]
        while rows := list(islice(self._rows, ROWS_A_BATCH)):
            yield Batch(
                columns=[[row[place] for _, row in rows] for place in places],
                written=lambda row, rows=rows: (rows[row][0], as_json(rows[row][1])),
                rejected=(),
                consumed=(self._file.size or 0) * min(rows[-1][0], self._height) // self._height,
            )


def _calamine(source: str) -> Any:
    """Import python-calamine only when there is a spreadsheet to read."""
    try:
        return import_module("python_calamine")
    except ImportError as error:
        raise PgaudienceError(
            f"reading {source} needs python-calamine",
            'pip install "pgaudience[xlsx]", or save the sheet as CSV UTF-8',
        ) from error
