"""How the numbers of an attribute spread: what makes them nearly normal, and standard deviations of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

SAMPLE_SIZE = 20_000
"""So many numbers say which transform makes them normal."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How the numbers of an attribute are turned into standard deviations from their mean."""

    lowest: float
    highest: float
    power: float
    center: float
    scale: float


def find_spread(numbers: Numbers) -> Spread | None:
    """Return how numbers spread, or None where they are all the same.

    The power is the one of greatest likelihood: Yeo and Johnson (2000), A new family of power transformations to
    improve normality or symmetry. It is between -3 and 5, where 1 leaves numbers as they are.
    """
    from scipy import optimize, stats  # pyright: ignore[reportMissingTypeStubs]

    if numbers.min() == numbers.max():
        return None
    few = np.random.default_rng(0).choice(numbers, min(len(numbers), SAMPLE_SIZE), replace=False)

    def unlikelihood(power: float) -> float:
        with np.errstate(all="ignore"):
            found = -float(cast(Any, stats).yeojohnson_llf(power, few))
        return found if np.isfinite(found) else np.inf

    power = float(cast(Any, optimize).minimize_scalar(unlikelihood, bounds=(-3, 5), method="bounded").x)
    with np.errstate(all="ignore"):
        moved = cast(Numbers, cast(Any, stats).yeojohnson(numbers, power))
    if not np.isfinite(moved).all() or moved.std() < 1e-9 * max(abs(float(moved.mean())), 1e-300):
        power, moved = 1.0, numbers
    scale = float(moved.std())
    if not np.isfinite(scale) or scale <= 0:
        return None
    return Spread(float(numbers.min()), float(numbers.max()), power, float(moved.mean()), scale)


def standardized(numbers: Numbers, spread: Spread) -> Numbers:
    """Return numbers in standard deviations from the mean, as SQL does."""
    from scipy import stats  # pyright: ignore[reportMissingTypeStubs]

    moved = numbers if spread.power == 1 else cast(Numbers, cast(Any, stats).yeojohnson(numbers, spread.power))
    return (moved - spread.center) / spread.scale
