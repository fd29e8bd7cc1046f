"""Values that are taken though they look wrong: counted, and told after the load."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pgaudience.reading.texts import Texts

EXAMPLES = 5
MOST_REMEMBERED = 1_000


@dataclass(frozen=True, slots=True)
class Doubt:
    """What looks wrong with a value, and what can be done."""

    text: str
    mend: str


USER_PLACEHOLDER = Doubt("rows have a placeholder for a user", "--reject-placeholders leaves them out")
ENTRY_PLACEHOLDER = Doubt("rows have a placeholder for an entry", "--reject-placeholders leaves them out")
INVISIBLE = Doubt("rows have a user id with invisible characters", "it is another user than the same id without them")
SHORTENED = Doubt(
    "rows have a user id whose digits a spreadsheet has cut", "format that column as text there, and export it again"
)


@dataclass(frozen=True, slots=True)
class Doubted:
    """How many rows of a source have values in doubt, and the commonest of these with their rows."""

    doubt: Doubt
    rows: int
    values: list[tuple[str, int]]


class Doubts:
    """Count the doubtful values of one or several sources."""

    def __init__(self) -> None:
        self._rows: Counter[tuple[str, Doubt]] = Counter()
        self._values: dict[tuple[str, Doubt], Counter[str]] = {}

    def judge(self, source: str, users: Texts | None, entries: Texts | None, stay: list[bool] | None) -> None:
        """Look at the users and the entries of the rows that stay."""
        if users is not None:
            placeholders = users.placeholders()
            self._count(source, USER_PLACEHOLDER, users.values, placeholders, stay)
            self._count(source, INVISIBLE, users.values, users.with_invisible() - placeholders, stay)
            self._count(source, SHORTENED, users.values, users.shortened(), stay)
        if entries is not None:
            self._count(source, ENTRY_PLACEHOLDER, entries.values, entries.placeholders(), stay)

    def of(self, source: str) -> Iterator[Doubted]:
        """Give what was found in a source."""
        for (name, doubt), values in self._values.items():
            if name == source:
                yield Doubted(doubt, self._rows[name, doubt], values.most_common(EXAMPLES))

    def _count(
        self, source: str, doubt: Doubt, values: Sequence[str], doubtful: set[str], stay: list[bool] | None
    ) -> None:
        if not doubtful:
            return
        found = Counter(value for row, value in enumerate(values) if value in doubtful and (stay is None or stay[row]))
        if not found:
            return
        known = self._values.setdefault((source, doubt), Counter())
        self._rows[source, doubt] += found.total()
        known.update(value for value in found.elements() if value in known or len(known) < MOST_REMEMBERED)
