"""Short texts as people might type them, for the fit: words of the entries and of general language, put together."""

from __future__ import annotations

import bisect
import itertools
import random
from collections.abc import Sequence

from pgaudience.distilling.phrases import PATTERNS, SLOTS

TEXTS = 90_000
"""How many are drawn for a space that has none."""

MISSPELT = 0.12
FOREIGN = 0.13
PARTS_OF_ENTRIES = 0.12
PATTERNED = 0.46
"""The shares of the kinds of texts; the rest are words in a row. The pieces of words learn from the words that are
misspelt or foreign."""

LEAST_LENGTH = 4
LETTERS = "abcdefghijklmnopqrstuvwxyz"


class SyntheticTexts:
    """A source of texts that are the same for the same entries, words and seed.

    `entries` and `entry_words` must not be empty; `words` are general words with their frequencies, of which the
    square root is the chance to be drawn; `foreign` has words of one language each, the commonest first.
    """

    def __init__(
        self,
        entries: Sequence[str],
        entry_words: Sequence[str],
        words: Sequence[tuple[str, float]],
        foreign: Sequence[Sequence[str]],
        *,
        seed: int,
    ) -> None:
        self._random = random.Random(seed)  # noqa: S311
        self._entries, self._entry_words, self._foreign = entries, entry_words, foreign
        self._words = [word for word, _ in words]
        self._chances = list(itertools.accumulate(frequency**0.5 for _, frequency in words))

    def draw(self, number: int) -> list[str]:
        """Return at most `number` texts, all different."""
        return list(dict.fromkeys(self._text() for _ in range(number)))

    def _text(self) -> str:
        kind = self._random.random()
        if kind < FOREIGN:
            return self._foreign_words()
        if kind < FOREIGN + MISSPELT:
            return self._misspelt(self._entry_word() if self._random.random() < 0.2 else self._english())
        return self._english()

    def _english(self) -> str:
        kind = self._random.random() * (1 - FOREIGN - MISSPELT)
        if kind < PARTS_OF_ENTRIES:
            return self._part_of_entry(4)
        if kind < PARTS_OF_ENTRIES + PATTERNED:
            return self._patterned()
        length = self._random.randint(2, 7)
        return " ".join(self._entry_word() if self._random.random() < 0.35 else self._word() for _ in range(length))

    def _patterned(self) -> str:
        a, b, c = (self._topic() for _ in range(3))
        slots = {slot: self._random.choice(words) for slot, words in SLOTS.items()}
        return self._random.choice(PATTERNS).format(a=a, b=b, c=c, v=self._word(), **slots)

    def _misspelt(self, text: str) -> str:
        words = text.split()
        if long := [at for at, word in enumerate(words) if len(word) >= LEAST_LENGTH]:
            at = self._random.choice(long)
            words[at] = self._edited(words[at])
        return " ".join(words)

    def _edited(self, word: str) -> str:
        """Return the word with one letter left out, replaced, added, doubled or swapped with the one before it."""
        at = self._random.randrange(1, len(word))
        letter = self._random.choice(LETTERS)
        before, here, after = word[:at], word[at], word[at + 1 :]
        middle = self._random.choice(("", letter, letter + here, here + here, None))
        return before[:-1] + here + before[-1] + after if middle is None else before + middle + after

    def _foreign_words(self) -> str:
        words = self._random.choice(self._foreign)
        length = self._random.choice((1, 1, 2, 3, 4))
        power = 1 if length == 1 else 2  # beside others, a common word is likelier
        return " ".join(words[int(len(words) * self._random.random() ** power)] for _ in range(length))

    def _topic(self) -> str:
        kind = self._random.random()
        if kind < 0.4:
            return self._part_of_entry(2)
        if kind < 0.55:
            return self._entry_word()
        return self._word() if kind < 0.85 else f"{self._word()} {self._word()}"

    def _part_of_entry(self, longest: int) -> str:
        words = self._random.choice(self._entries).split()
        length = min(self._random.randint(1, longest), len(words))
        first = self._random.randrange(len(words) - length + 1)
        return " ".join(words[first : first + length])

    def _entry_word(self) -> str:
        return self._random.choice(self._entry_words)

    def _word(self) -> str:
        return self._words[bisect.bisect(self._chances, self._random.random() * self._chances[-1] * (1 - 1e-12))]
