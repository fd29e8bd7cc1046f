"""Small numbers for texts that repeat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pgaudience.reading import Coded

CHARACTERS = 50_000_000


class Numbering(dict[str, int]):
    """Numbers distinct texts from 0 on, and forgets when its memory is full: a text may then get a second number."""

    def __init__(self, characters: int = CHARACTERS) -> None:
        self._new: list[str] = []
        self._next = 0
        self._free = self._characters = characters

    def __missing__(self, text: str) -> int:
        number = self[text] = self._next
        self._next += 1
        self._free -= len(text) + 100
        self._new.append(text)
        return number

    def number(self, texts: Sequence[str]) -> NDArray[np.int32]:
        """Return the number of each text, shape (len(texts),)."""
        if self._free < 0:
            self.clear()
            self._free = self._characters
        if isinstance(texts, Coded):
            return self.number(texts.texts)[texts.codes]
        return np.fromiter(map(self.__getitem__, texts), np.int32, count=len(texts))

    def take_new(self) -> list[str]:
        """Return the texts numbered since the last call, in the order of their numbers."""
        new, self._new = self._new, []
        return new
