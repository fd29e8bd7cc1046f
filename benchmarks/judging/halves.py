"""Users cut in two: what they did before and after, or where nobody knows when, two halves by chance."""

from __future__ import annotations

import csv
import gzip
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

EARLY, LATE = "early ", "late "

Halves = dict[str, tuple[Counter[str], Counter[str]]]
"""The early and the late entries of each user, with their frequencies."""


@dataclass(frozen=True, slots=True)
class Cut:
    """All users of a data set in halves, which become two users each."""

    halves: Halves

    def write(self, path: Path, *, early: bool, late: bool) -> None:
        """Write the halves as a file of activity."""
        with path.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["user_id", "entry", "frequency"])
            for user, half, entries in self._users():
                if (half == EARLY and early) or (half == LATE and late):
                    rows.writerows((half + user, entry, frequency) for entry, frequency in entries.items())

    def queries(self, fewest: int, count: int) -> list[str]:
        """Return some users, at random, who have enough entries in both halves."""
        users = sorted(user for user, both in self.halves.items() if min(map(len, both)) >= fewest)
        return [users[place] for place in np.random.default_rng(0).permutation(len(users))[:count]]

    def _users(self) -> Iterator[tuple[str, str, Counter[str]]]:
        for user, (early, late) in self.halves.items():
            yield user, EARLY, early
            yield user, LATE, late


def cut(path: Path) -> Cut:
    """Cut the users of a file of events by their occasions, or of a file of pairs by their entries at random."""
    occasions: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["user_id"].strip() and row["entry"].strip():
                at = row.get("occurred_at") or row["entry"]
                occasions[row["user_id"]][at][row["entry"]] += int(row.get("frequency") or 1)
    timed = "timed" in path.name
    random = np.random.default_rng(0)
    return Cut({user: _halves(by_time, None if timed else random) for user, by_time in occasions.items()})


def _halves(
    occasions: Mapping[str, Counter[str]], random: np.random.Generator | None
) -> tuple[Counter[str], Counter[str]]:
    order = sorted(occasions)
    if random is not None:
        random.shuffle(order)
    parts = order[: len(order) // 2], order[len(order) // 2 :]
    early, late = (sum((occasions[at] for at in some), Counter[str]()) for some in parts)
    return early, late
