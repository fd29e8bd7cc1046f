"""The axes of a map."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from pgaudience.learning.factors import rotate_onto

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


def principal_axes(covariance: Matrix, count: int) -> Matrix:
    """Return the directions of greatest variance, one a column, greatest first; the largest component is positive."""
    from scipy import linalg  # pyright: ignore[reportMissingTypeStubs]

    size = len(covariance)
    _, vectors = cast(Any, linalg).eigh(covariance, subset_by_index=[size - count, size - 1])
    return signed(vectors[:, ::-1])


def plane_of(centres: Matrix, covariance: Matrix, count: int) -> Matrix:
    """Return the directions along which the centres, one a row, lie farthest apart.

    Where they span fewer than `count`, the others are those of greatest variance across them.
    """
    _, lengths, rows = np.linalg.svd(centres - centres.mean(axis=0), full_matrices=False)
    spanned = signed(rows[:count][lengths[:count] > 1e-6].T)
    missing = count - spanned.shape[1]
    if not missing:
        return spanned
    across = np.eye(len(covariance)) - spanned @ spanned.T
    return np.hstack([spanned, principal_axes(across @ covariance @ across, missing)])


def keep_axes(axes: Matrix, former: Matrix) -> Matrix:
    """Turn the axes within what they span so that each comes closest to the former one of its number."""
    count = axes.shape[1]
    wanted = np.zeros_like(axes)
    wanted[:, : former.shape[1]] = former[:, :count]
    return rotate_onto(axes, wanted, np.arange(len(axes)))


def share_along(axes: Matrix, covariance: Matrix) -> Vector:
    """Return the share of all variance that lies along each axis, 0 to 1."""
    return np.einsum("ij,ik,kj->j", axes, covariance, axes, optimize=True) / np.trace(covariance)


def signed(axes: Matrix) -> Matrix:
    """Return the axes so that of each the component that is largest is positive."""
    largest = axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])]
    return axes * np.where(largest < 0, -1, 1)
