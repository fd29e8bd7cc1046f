"""What each attribute adds to knowing somebody's segment, beside all others: by permutation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgaudience.explaining.people import People

REPEATS = 5


@dataclass(frozen=True, slots=True)
class Importance:
    """How much lower the probability of somebody's own segment becomes when an attribute is that of somebody else."""

    attribute: str
    importance: float
    by_segment: dict[int, float]
    """The same of the users of each segment."""


def importances(people: People) -> list[Importance]:
    """Return the attributes, those that add most first.

    A gradient-boosted forest is fitted to the attributes; then each attribute is shuffled among the users it is judged
    by, REPEATS times (Breiman 2001, Random Forests). Attributes that say the same share what they add.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier  # pyright: ignore[reportMissingTypeStubs]
    from threadpoolctl import threadpool_limits  # pyright: ignore[reportMissingTypeStubs]

    kind: Any = HistGradientBoostingClassifier
    forest = kind(max_iter=60, early_stopping=False, random_state=0)
    table, segments = people.table[people.held_back], people.segments[people.held_back]
    with threadpool_limits(1):  # sums in one order; and threads that wait for each other by spinning are slow
        forest.fit(people.table[people.fitted], people.segments[people.fitted])
        own = np.searchsorted(forest.classes_, segments)
        before = _probability(forest, table, own)
        found = [
            _importance(attribute, before - _shuffled(forest, people, table, own, place), segments)
            for place, attribute in enumerate(people.attributes)
        ]
    return sorted(found, key=lambda each: (-each.importance, each.attribute))


def _shuffled(
    forest: Any, people: People, table: NDArray[np.float64], own: NDArray[np.intp], place: int
) -> NDArray[np.float64]:
    attribute = people.attributes[place]
    columns = [at for at, column in enumerate(people.columns) if column.attribute == attribute]
    random = np.random.default_rng([0, place])
    total = np.zeros(len(table))
    for _ in range(REPEATS):
        shuffled = table.copy()
        shuffled[:, columns] = table[random.permutation(len(table))][:, columns]
        total += _probability(forest, shuffled, own)
    return total / REPEATS


def _importance(attribute: str, lost: NDArray[np.float64], segments: NDArray[np.int64]) -> Importance:
    by_segment = {int(each): float(lost[segments == each].mean()) for each in np.unique(segments)}
    return Importance(attribute, float(lost.mean()), by_segment)


def _probability(forest: Any, table: NDArray[np.float64], own: NDArray[np.intp]) -> NDArray[np.float64]:
    return forest.predict_proba(table)[np.arange(len(table)), own]
