"""How far a map can be trusted."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Ranks = NDArray[np.intp]

NEIGHBOURS = 15

_AS_NEAR = 1e-9
"""Squared distances that differ by less are the same, but for their rounding."""


def trustworthiness(points: Matrix, places: Matrix, neighbours: int) -> float:
    """Return how far those who are nearest on a map, `places`, are near as `points` indeed: 1 if all of them are.

    Whoever is among the nearest on the map and not in truth counts by the rank of the true distance: Venna and Kaski
    (2001), Neighborhood preservation in nonlinear projection methods. Of equal distances all have the lowest rank.
    """
    count = len(points)
    apart = _squared_distances(places)
    nearest = np.argpartition(apart, neighbours - 1, axis=1)[:, :neighbours]
    penalty = 0.0
    for distances, others in zip(_squared_distances(points), nearest, strict=True):
        ranks = cast(Ranks, np.searchsorted(np.sort(distances), distances[others] - _AS_NEAR)) + 1
        penalty += float(np.maximum(ranks - neighbours, 0).sum())
    return 1 - penalty * 2 / (count * neighbours * (2 * count - 3 * neighbours - 1))


def _squared_distances(points: Matrix) -> Matrix:
    lengths = np.square(points).sum(axis=1)
    distances = lengths[:, None] + lengths - 2 * points @ points.T
    np.fill_diagonal(distances, np.inf)
    return distances
