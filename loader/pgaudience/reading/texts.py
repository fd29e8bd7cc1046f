"""A column of texts, and questions about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from pgaudience.reading.values import is_utf8, to_text

BYTES_PER_CHARACTER = 4


class Texts:
    """A column of texts. What is bad in it is given as a set of texts, found without Python code per row if empty."""

    __slots__ = ("_joined", "values")

    def __init__(self, values: Sequence[str]) -> None:
        self.values = values
        self._joined = "".join(values)

    def not_utf8(self) -> set[str]:
        """Find the texts that stand for broken bytes."""
        return set() if is_utf8(self._joined) else {text for text in set(self.values) if not is_utf8(text)}

    def with_nul(self) -> set[str]:
        """Find the texts with a NUL character."""
        return {text for text in set(self.values) if "\0" in text} if "\0" in self._joined else set()

    def blank(self) -> set[str]:
        """Find the texts that are empty or white space."""
        return set() if all(map(str.strip, self.values)) else {text for text in set(self.values) if not text.strip()}

    def longer(self, limit: int) -> set[str]:
        """Find the texts of more than `limit` bytes in UTF-8."""
        if len(self._joined) * BYTES_PER_CHARACTER <= limit:
            return set()
        if max(map(len, self.values), default=0) * BYTES_PER_CHARACTER <= limit:
            return set()
        return {text for text in set(self.values) if len(text.encode("utf-8", "surrogateescape")) > limit}


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
    return texts_if_all(values) or Texts([value if isinstance(value, str) else "" for value in values])


def attribute_texts(values: Sequence[object]) -> tuple[Texts, list[str | None]]:
    """Take a column of attributes as texts, and again with None in the place of blank ones."""
    texts = as_texts(values)
    blank = texts.blank()
    return texts, [None if text in blank else text for text in texts.values] if blank else list(texts.values)
