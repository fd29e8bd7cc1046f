"""Vectors whose products come close to a matrix of entries by entries, on axes that stay."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

Sparse = Any  # scipy.sparse.csr_matrix, which has no types
Matrix = NDArray[np.float64]


def factorize(cells: Sparse, dimensions: int) -> Matrix:
    """Return a vector of unit length for each row, shape (rows, dimensions); zero where a row has no cell.

    They are the left singular vectors, each times the root of its singular value, the largest first; the coordinate
    that is largest in a column is positive. The same cells give the same vectors.
    """
    rows = int(cells.shape[0])
    count = min(dimensions, rows)
    if count < rows:
        from scipy.sparse import linalg  # pyright: ignore[reportMissingTypeStubs]

        left, values, _ = cast(Any, linalg).svds(cells, k=count, v0=np.ones(rows))
    else:
        left, values, _ = np.linalg.svd(cells.toarray(), full_matrices=False)
    order = np.argsort(-values, kind="stable")[:count]
    vectors = left[:, order] * np.sqrt(values[order])
    largest = vectors[np.abs(vectors).argmax(axis=0), np.arange(count)]
    vectors *= np.where(largest < 0, -1, 1)
    has_cells = np.diff(cells.indptr) > 0
    return np.pad(unit(vectors * has_cells[:, None]), ((0, 0), (0, dimensions - count)))


def rotate_onto(vectors: Matrix, former: Matrix, common: NDArray[np.intp]) -> Matrix:
    """Turn the vectors so that those of the rows `common` come closest to `former`, and keep all angles.

    That is the orthogonal Procrustes problem: Schönemann (1966).
    """
    left, _, right = np.linalg.svd(vectors[common].T @ former)
    return vectors @ (left @ right)


def unit(vectors: Matrix) -> Matrix:
    """Return the vectors at unit length; those of no length stay zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 1e-9)
