"""CSV and TSV: a header line and records of as many fields."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from operator import itemgetter

from pgaudience.errors import PgaudienceError
from pgaudience.reading.csv_records import PlainLines, Records, parse, read_records
from pgaudience.reading.files import InputFile
from pgaudience.reading.lines import lines_of, read_text
from pgaudience.reading.reasons import wrong_width
from pgaudience.reading.rejects import Reject
from pgaudience.reading.table import Batch
from pgaudience.reading.values import is_utf8

DELIMITERS = ",;\t|"

# Excel's own way to say it: a first line such as sep=;
_SEPARATOR_LINE = re.compile(r"\A(\s*)sep=([^\r\n])[ \t]*(?=[\r\n])", re.IGNORECASE)


class DelimitedTable:
    """The rows of a CSV or TSV file, quoted as in RFC 4180, UTF-8 with or without a mark, any line ending.

    Without a delimiter it is the one that a line `sep=` at the top names, else `usual`, else the one among comma,
    semicolon, tab and bar that cuts the header into the most columns. Blank lines are no rows.

    Raises PgaudienceError where the first line that is not blank is no header.
    """

    def __init__(self, file: InputFile, delimiter: str | None, usual: str | None = None) -> None:
        self._file = file
        texts = read_text(file)
        first_text, named = _without_separator_line(next(texts, ""))
        self._delimiter = delimiter or named or usual or _delimiter_of(first_text)
        records = read_records(chain([first_text], texts), self._delimiter)
        first = self._parsed(next(records))
        self.header: Sequence[str] = _take_header(first, file.name)
        self._records = chain([first], records)

    def batches(self, names: Sequence[str]) -> Iterator[Batch]:
        """Read these columns of all rows; a row with too many or too few fields is rejected."""
        places = [self.header.index(name) for name in names]
        for records in self._records:
            consumed = self._file.position()
            width = len(self.header)
            columns = records.columns(self._delimiter, width, places) if isinstance(records, PlainLines) else None
            if columns is None:
                yield _batch(self._parsed(records), width, places, consumed)
            else:
                yield Batch(columns, records.written, (), consumed)

    def _parsed(self, records: Records | PlainLines) -> Records:
        if isinstance(records, Records):
            return records
        return parse(records.first_line, records.lines, self._delimiter)[0]


def _without_separator_line(text: str) -> tuple[str, str | None]:
    """Make a first line `sep=;` a blank one, and give the delimiter that it names."""
    found = _SEPARATOR_LINE.match(text)
    return (found[1] + text[found.end() :], found[2]) if found else (text, None)


def _delimiter_of(text: str) -> str:
    header = next((line for line in lines_of(text) if line.strip()), "")
    return max(DELIMITERS, key=lambda delimiter: len(next(csv.reader([header], delimiter=delimiter), list[str]())))


def _take_header(records: Records, source: str) -> list[str]:
    """Take the first row that is not blank out of the records."""
    place = next((i for i, row in enumerate(records.rows) if any(map(str.strip, row))), None)
    if records.rejected and (place is None or records.rejected[0].line < records.written(place)[0]):
        reason = records.rejected[0].reason
        raise PgaudienceError(f"the header of {source} is broken: {reason.text}", reason.mend)
    if place is None:
        raise PgaudienceError(f"{source} has no header", "it needs a line with the names of its columns, then rows")
    header = [name.strip() for name in records.rows[place]]
    if not is_utf8("".join(header)) or "\0" in "".join(header):
        raise PgaudienceError(f"the header of {source} is not UTF-8", "convert it, for example with iconv")
    records.rows[: place + 1] = [[] for _ in range(place + 1)]  # blank from now on
    return header


def _batch(records: Records, width: int, places: Sequence[int], consumed: int) -> Batch:
    rows = records.rows
    if set(map(len, rows)) <= {width}:
        return Batch(_columns(rows, places), records.written, records.rejected, consumed)
    rejected = list(records.rejected)
    good = list[int]()
    for i, row in enumerate(rows):
        if len(row) == width:
            good.append(i)
        elif row:
            line, text = records.written(i)
            rejected.append(Reject(line, wrong_width(len(row), width), text))
    columns = _columns([rows[i] for i in good], places)
    return Batch(columns, lambda row: records.written(good[row]), rejected, consumed)


def _columns(rows: list[list[str]], places: Sequence[int]) -> list[list[str]]:
    return [list(map(itemgetter(place), rows)) for place in places]
