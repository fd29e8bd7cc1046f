"""Short texts as people might type them, for the fit: words of the entries and of general English, put together."""

from __future__ import annotations

import bisect
import itertools
import random
from collections.abc import Sequence

TEXTS = 60_000
"""How many are drawn for a space that has none; of 40,000, the cosine to the model's vectors is 0.007 lower."""

PATTERNS = tuple(
    pattern.strip()
    for pattern in """
    {a} lovers | {a} fans | {a} enthusiasts | {a} buyers | {a} shoppers | {a} people | {a} only | young {a} | my {a}
    people who like {a} | people who buy {a} | people who {v} {a} | people interested in {a} | {a} who {v} {b}
    someone who {v} {a} | someone with {a} and a {b} | a person who {v} {a} and {b} | who goes to {a}
    users who search for {a} | customers who want {a} | parents of {a} | families with {a} | likes {a} but not {b}
    looking for {a} | planning a {a} | ideas for {a} | things for {a} | everything for {a} | something {a} to {v}
    best {a} | more {a} | no {a} | not {a} | {a} at home | getting {a} ready for {b} | how to {v} {a}
    {a} and {b} | {a} or {b} | {a} with {b} | {a} without {b} | {a} for {b} | {a} for the {b} | {a} in {b}
    {a} in the {b} | {a} at {b} | {a} on {b} | {a} from {b} | {a} to {b} | {a} after {b} | {a} before the {b}
    {a} by {b} | {a} as {b} | the {a} of {b} | a {a} for a {b} | {a}, {b} and {c} | {v} and {a} {b} | {a} that {v} {b}
    {v} their {a} | they {v} the {a}
    """.replace("\n", "|").split("|")
    if pattern.strip()
)


class SyntheticTexts:
    """A source of texts that are the same for the same entries, words and seed.

    `entries` and `entry_words` must not be empty; `words` are general words with their frequencies, of which the
    square root is the chance to be drawn.
    """

    def __init__(
        self, entries: Sequence[str], entry_words: Sequence[str], words: Sequence[tuple[str, float]], *, seed: int
    ) -> None:
        self._random = random.Random(seed)  # noqa: S311
        self._entries, self._entry_words = entries, entry_words
        self._words = [word for word, _ in words]
        self._chances = list(itertools.accumulate(frequency**0.5 for _, frequency in words))

    def draw(self, number: int) -> list[str]:
        """Return at most `number` texts, all different."""
        return list(dict.fromkeys(self._text() for _ in range(number)))

    def _text(self) -> str:
        kind = self._random.random()
        if kind < 0.25:
            return self._part_of_entry(4)
        if kind < 0.6:
            a, b, c = (self._topic() for _ in range(3))
            return self._random.choice(PATTERNS).format(a=a, b=b, c=c, v=self._word())
        length = self._random.randint(2, 7)
        return " ".join(self._entry_word() if self._random.random() < 0.35 else self._word() for _ in range(length))

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
