"""Lines into CSV records: at once where no quote occurs, else with every stray quote held to its own line."""

from __future__ import annotations

import csv
import gc
import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

from pgaudience.reading.arrow_csv import cut
from pgaudience.reading.lines import LONGEST_LINE_BYTES, lines_of
from pgaudience.reading.reasons import LONGEST_RECORD_LINES, MISQUOTED, UNCLOSED_QUOTE
from pgaudience.reading.rejects import Reject

LONGEST_RECORD = 1 << 24  # characters, of a record over several lines
UNFINISHED = "unexpected end of data"  # what the csv module says where a quote is open at the end

csv.field_size_limit(max(csv.field_size_limit(), 2 * LONGEST_LINE_BYTES))


@dataclass(frozen=True)
class PlainLines:
    """Whole lines of a file from line `first_line` on, in which no quote occurs: each line is a record."""

    first_line: int
    text: str

    def columns(self, delimiter: str, width: int, places: Sequence[int]) -> Sequence[Sequence[str]] | None:
        """Cut the lines into columns, and give those at `places`.

        None unless every line has `width` fields, two or more, and ends with LF or CRLF.
        """
        text = self.text.replace("\r\n", "\n") if "\r" in self.text else self.text
        if width < 2 or "\r" in text:
            return None
        if not text.endswith("\n"):
            text += "\n"
        return cut(text, delimiter, width, places) or _cut(text, delimiter, width, places)

    def written(self, row: int) -> tuple[int, str]:
        """Give the line of a row, and the row as it stands in the file."""
        return self.first_line + row, self.lines[row].rstrip("\r\n")

    def count(self) -> int:
        """Count the lines."""
        return len(self.lines) if "\r" in self.text else self.text.count("\n") + (self.text[-1:] != "\n")

    @cached_property
    def lines(self) -> list[str]:
        """Cut the text into its lines."""
        return lines_of(self.text)


def _cut(text: str, delimiter: str, width: int, places: Sequence[int]) -> list[list[str]] | None:
    """Cut lines that end with LF into the columns at `places`; None where a line has not `width` fields.

    Each line end is made a field of its own. If there are as many fields as there should be, and every line end
    stands where a row of the right width has it, then all rows are of that width.
    """
    if delimiter != " " and (f"{delimiter} " in text or "\n " in text or text.startswith(" ")):
        text = re.sub(rf"(?<![^{re.escape(delimiter)}\n]) +", "", text)  # as the csv module does
    rows, step = text.count("\n"), width + 1
    fields = text.replace("\n", f"{delimiter}\n{delimiter}").split(delimiter)
    if len(fields) != rows * step + 1 or fields[width::step].count("\n") != rows:
        return None
    return [fields[place:-1:step] for place in places]


@dataclass(frozen=True, slots=True)
class Records:
    """The records of some lines, of which lines[0] is line `first_line` of the file. A blank line is a row too, `[]`.

    Row i is lines[slice(*spans[i])]; without spans it is lines[i].
    """

    first_line: int
    lines: list[str]
    rows: list[list[str]]
    spans: list[tuple[int, int]] | None = None
    rejected: list[Reject] = field(default_factory=list[Reject])

    def written(self, row: int) -> tuple[int, str]:
        """Give the line a row begins at, and the row as it stands in the file."""
        begin, end = (row, row + 1) if self.spans is None else self.spans[row]
        return self.first_line + begin, _written(self.lines[begin:end])


def read_records(texts: Iterable[str], delimiter: str) -> Iterator[Records | PlainLines]:
    """Parse text as RFC 4180 records, fields over several lines included; what has no quotes is left as lines.

    A quote that is never closed must not swallow the rows behind it. A record with text behind a closing quote, one
    of more than 1,000 lines (or 16 million characters on several lines), and one still open at the end of the file
    are broken: the line such a record begins with is rejected, and reading goes on with the very next line. Where one
    text ends and the next begins plays no part in it, so the outcome is that of the file.

    Spaces at the beginning of a field are no part of it, so that a quote may follow them.
    """
    first_line, unfinished = 1, list[str]()
    for text in texts:
        if not unfinished and '"' not in text:
            plain = PlainLines(first_line, text)
            yield plain
            first_line += plain.count()
            continue
        lines = unfinished + lines_of(text)
        records, unfinished = parse(first_line, lines, delimiter)
        yield records
        first_line += len(lines) - len(unfinished)
    while unfinished:
        broken = Reject(first_line, UNCLOSED_QUOTE, _written(unfinished[:1]))
        yield Records(first_line, unfinished, [], [], [broken])
        records, rest = parse(first_line + 1, unfinished[1:], delimiter)
        yield records
        first_line += len(unfinished) - len(rest)
        unfinished = rest


def parse(first_line: int, lines: list[str], delimiter: str) -> tuple[Records, list[str]]:
    """Parse whole records, and give back the lines of the last one if more lines could finish it."""
    try:
        with _without_collection():
            rows = list(csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=delimiter != " "))
    except csv.Error:
        return _parse_with_care(first_line, lines, delimiter)
    if len(rows) != len(lines):
        return _parse_with_care(first_line, lines, delimiter)
    return Records(first_line, lines, rows), []


def _parse_with_care(first_line: int, lines: list[str], delimiter: str) -> tuple[Records, list[str]]:
    """Parse record by record, which takes longer and tells where each begins and ends."""
    rows, spans, rejected = list[list[str]](), list[tuple[int, int]](), list[Reject]()
    begin = 0
    while begin < len(lines):
        reason = MISQUOTED
        base = begin
        reader = csv.reader(lines[base:], delimiter=delimiter, strict=True, skipinitialspace=delimiter != " ")
        try:
            for row in reader:
                end = base + reader.line_num
                if _is_too_long(lines, begin, end):
                    reason = UNCLOSED_QUOTE
                    break
                rows.append(row)
                spans.append((begin, end))
                begin = end
        except csv.Error as error:
            if UNFINISHED in str(error):
                if not _is_too_long(lines, begin, len(lines)):
                    return Records(first_line, lines, rows, spans, rejected), lines[begin:]
                reason = UNCLOSED_QUOTE
        if begin < len(lines):
            rejected.append(Reject(first_line + begin, reason, _written(lines[begin : begin + 1])))
            begin += 1
    return Records(first_line, lines, rows, spans, rejected), []


@contextmanager
def _without_collection() -> Generator[None]:
    """Keep the garbage collector from walking over thousands of new lists time and again; it doubles the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _is_too_long(lines: list[str], begin: int, end: int) -> bool:
    """Whether a record over these lines is taken for a quote that was never closed."""
    count = end - begin
    return count > 1 and (count > LONGEST_RECORD_LINES or sum(map(len, lines[begin:end])) > LONGEST_RECORD)


def _written(lines: list[str]) -> str:
    return "".join(lines).rstrip("\r\n")
