"""A column of texts, and questions about it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import cast

from pgaudience.reading.coded import Coded, distinct
from pgaudience.reading.values import is_utf8, kinds, to_text

BYTES_PER_CHARACTER = 4

# What programs write where they know nothing.
_MISSING = (
    "null", "(null)", "<null>", "none", "nil", "nan", "n/a", "#n/a", "na", "n.a.", "undefined", "unknown", "missing",
    "anonymous", "(not set)", "(none)", "not available", "\\n", "#ref!", "#value!", "#name?", "[object object]", "-",
    "--", "?", ".", "0", "-1", "00000000-0000-0000-0000-000000000000",
)  # fmt: skip
PLACEHOLDERS = frozenset(
    spelled for word in _MISSING for spelled in (word, word.upper(), word.capitalize(), word.title())
) | {"NaN", "[object Object]", "N/a"}

# Format characters and variation selectors: they take no space, and nobody sees them.
INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]"
)
MOST_INVISIBLE = 8

# A number of many digits, as a spreadsheet shows and exports it.
SHORTENED = re.compile(r"\s*[+-]?\d([.,]\d+)?E\+\d+\s*")


class Texts:
    """A column of texts. What is bad in it is given as a set of texts, found without Python code per row if empty."""

    def __init__(self, values: Sequence[str]) -> None:
        self.values = values
        self._distinct = distinct(values)
        self._joined = "".join(self._distinct)

    @cached_property
    def stripped(self) -> list[str]:
        """The texts without white space around them; in what order, and how often, is left open."""
        return list(map(str.strip, self._distinct))

    def trimmed(self) -> list[str | None]:
        """Return every text without white space around it, None where nothing is left."""
        texts = [text or None for text in self.stripped]
        return [texts[code] for code in self.values.codes.tolist()] if isinstance(self.values, Coded) else texts

    def not_utf8(self) -> set[str]:
        """Find the texts that stand for broken bytes."""
        return set() if is_utf8(self._joined) else {text for text in set(self._distinct) if not is_utf8(text)}

    def with_nul(self) -> set[str]:
        """Find the texts with a NUL character."""
        return {text for text in set(self._distinct) if "\0" in text} if "\0" in self._joined else set()

    def contain(self, characters: str) -> bool:
        """Whether some text has these characters; two texts might have them together."""
        return characters in self._joined

    def blank(self) -> set[str]:
        """Find the texts that are empty or white space."""
        return set() if all(self.stripped) else {text for text in set(self._distinct) if not text.strip()}

    def longer(self, limit: int) -> set[str]:
        """Find the texts of more than `limit` bytes in UTF-8."""
        if len(self._joined) * BYTES_PER_CHARACTER <= limit:
            return set()
        if max(map(len, self._distinct), default=0) * BYTES_PER_CHARACTER <= limit:
            return set()
        return {text for text in set(self._distinct) if len(text.encode("utf-8", "surrogateescape")) > limit}

    def placeholders(self) -> set[str]:
        """Find the texts that stand for nothing: NULL, n/a, the zero UUID, nothing but invisible characters."""
        found = set[str]()
        if not PLACEHOLDERS.isdisjoint(self.stripped):
            found = {text for text in set(self._distinct) if text.strip() in PLACEHOLDERS}
        if not self._joined.isascii():
            found |= {text for text in set(self._distinct) if len(text) <= MOST_INVISIBLE and _is_invisible(text)}
        return found

    def with_invisible(self) -> set[str]:
        """Find the texts with characters that nobody sees."""
        if self._joined.isascii() or not INVISIBLE.search(self._joined):
            return set()
        return {text for text in set(self._distinct) if INVISIBLE.search(text)}

    def shortened(self) -> set[str]:
        """Find the texts such as 1.23457E+12, in which digits are lost."""
        return {text for text in set(self._distinct) if SHORTENED.fullmatch(text)} if "E+" in self._joined else set()


def texts_if_all(values: Sequence[object]) -> Texts | None:
    """Take a column that holds nothing but texts; None for any other."""
    try:
        return Texts(cast("Sequence[str]", values))
    except TypeError:
        return None


def as_texts(values: Sequence[object]) -> Texts:
    """Take a column as texts, whatever it holds."""
    return texts_if_all(values) or Texts(list(map(to_text, values)))


def texts_among(values: Sequence[object]) -> Texts:
    """Take only the texts of a column, which may hold numbers or times as well."""
    if str not in kinds(values):
        return Texts(())
    return texts_if_all(values) or Texts([value if isinstance(value, str) else "" for value in values])


def attribute_texts(values: Sequence[object]) -> tuple[Texts, list[str | None]]:
    """Take a column of attributes as texts, and again trimmed, with None in the place of blank ones."""
    texts = as_texts(values)
    return texts, texts.trimmed()


def _is_invisible(text: str) -> bool:
    return not text.isascii() and bool(text.strip()) and not INVISIBLE.sub("", text).strip()
