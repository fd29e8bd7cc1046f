"""Intervals by resampling."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 5_000


def spread(values: NDArray[np.float64], seed: int = 0) -> dict[str, float | list[float]]:
    """Return the mean of values, shape (n,), and its 95 % interval over resamples."""
    found = gain(values, np.zeros(len(values)), seed)
    return {"mean": found["gain"], "interval": found["interval"]}


def gain(values: NDArray[np.float64], baseline: NDArray[np.float64], seed: int = 0) -> dict[str, float | list[float]]:
    """Return the mean difference of paired values, shape (n,), and its 95 % interval over resamples of the pairs."""
    differences = values - baseline
    draws = np.random.default_rng(seed).integers(len(differences), size=(RESAMPLES, len(differences)))
    low, high = np.percentile(differences[draws].mean(axis=1), [2.5, 97.5])
    return {"gain": round(float(differences.mean()), 4), "interval": [round(float(low), 4), round(float(high), 4)]}
