"""Lines without a single quote, the common case, cut into fields at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pgaudience.reading.lines import lines_of


@dataclass(frozen=True)
class PlainLines:
    """Whole lines of a file from line `first_line` on, in which no quote occurs: each line is a record."""

    first_line: int
    text: str

    def columns(self, delimiter: str, width: int) -> list[list[str]] | None:
        """Cut the lines into columns; None unless every line has `width` fields, two or more, and ends with LF or CRLF.

        Each line end is made a field of its own. If there are as many fields as there should be, and every line end
        stands where a row of the right width has it, then all rows are of that width.
        """
        text = self.text.replace("\r\n", "\n")
        if width < 2 or "\r" in text:
            return None
        if not text.endswith("\n"):
            text += "\n"
        rows, step = text.count("\n"), width + 1
        fields = text.replace("\n", f"{delimiter}\n{delimiter}").split(delimiter)
        if len(fields) != rows * step + 1 or fields[width::step].count("\n") != rows:
            return None
        return [fields[place:-1:step] for place in range(width)]

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
