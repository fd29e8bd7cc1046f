"""Whether a point or a comma parts whole numbers from fractions."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pgaudience.errors import PgaudienceError
from pgaudience.reading.coded import Coded
from pgaudience.reading.texts import Texts

# Thousands as 1.200, which are 1.2 to whoever reads a point as the decimal sign; and a comma that parts no thousands.
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}")
_WITH_COMMA = re.compile(r"[+-]?(\d+,(\d{1,2}|\d{4,})|0,\d+|\d{4,},\d+)")
_BY_COMMA = re.compile(r"\s*[+-]?(\d+|[1-9]\d{0,2}(\.\d{3})+)?(,\d+)?(?<=\d)(e[+-]?\d+)?\s*", re.IGNORECASE)


class Decimals:
    """The decimal sign of the frequencies of one source: `,` or `.`, or None, where it has to be plain.

    Without a sign, a point is one; but 1.200 beside 1,5 may be 1.2 or 1200, and that is not guessed.
    """

    def __init__(self, sign: str | None) -> None:
        self._sign = sign
        self._grouped: tuple[int, str] | None = None
        self._with_comma: tuple[int, str] | None = None

    def as_points(self, values: Sequence[object], texts: Texts, line: Callable[[int], int]) -> Sequence[object]:
        """Write numbers with a point for the decimal sign, and mark what is no number; other values stay.

        `texts` are the values that are texts; `line(i)` gives the line of value i.
        """
        if self._sign == ",":
            if isinstance(values, Coded):
                return values.map(_with_point)
            return [_with_point(value) if isinstance(value, str) else value for value in values]
        if self._sign is None and self._grouped is None and texts.contain("."):
            self._grouped = _first(
                values, {text for text in set(texts.stripped) if text[-4:-3] == "." and _GROUPED.fullmatch(text)}, line
            )
        if self._sign is None and self._with_comma is None and texts.contain(","):
            self._with_comma = _first(
                values, {text for text in set(texts.stripped) if "," in text and _WITH_COMMA.fullmatch(text)}, line
            )
        return values

    def check(self, source: str) -> None:
        """Raise PgaudienceError where the rows so far leave open what 1.200 is."""
        if self._grouped and self._with_comma:
            (line, number), (other_line, other) = self._grouped, self._with_comma
            whole, fraction = number.split(".")
            raise PgaudienceError(
                f"{source} has the frequency {number} in line {line:,}, and {other} in line"
                f" {other_line:,}: is the first one {whole}{fraction}, or {whole}.{fraction}?",
                "say which sign begins the decimals: --decimal , or --decimal .",
            )


def _with_point(text: str) -> str:
    if _BY_COMMA.fullmatch(text) is None:
        return f"not a number: {text}" if text.strip() else text
    return text.replace(".", "").replace(",", ".")


def _first(values: Sequence[object], wanted: set[str], line: Callable[[int], int]) -> tuple[int, str] | None:
    if not wanted:
        return None
    return next(
        (line(row), value.strip())
        for row, value in enumerate(values)
        if isinstance(value, str) and value.strip() in wanted
    )
