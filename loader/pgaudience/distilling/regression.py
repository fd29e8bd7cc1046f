"""Fit token vectors whose sums point where the vectors of whole texts point."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
Sparse = Any  # scipy.sparse.csr_matrix, which has no types

PENALTY = 1.0
STEPS = 40
TOLERANCE = 1e-3
COMMON = 1e-3
"""The constant a of smooth inverse frequency, a / (a + p): Arora, Liang and Ma (2017), A simple but tough-to-beat
baseline for sentence embeddings."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Texts as the numbers of their tokens, with the unit vectors of the model and how much each counts."""

    tokens: Sequence[Sequence[int]]
    vectors: Matrix
    counts: Matrix


def inverse_frequencies(frequencies: Matrix) -> Matrix:
    """Return the weight of each token, 0 to 1: near 0 for the commonest."""
    return COMMON / (COMMON + frequencies)


def fit(examples: Examples, initial: Matrix, weights: Matrix) -> Matrix:
    """Return the token vectors, shape (tokens, dimensions), with the weights folded in.

    `initial` has the vectors of the tokens alone, zero where there is none. Each is corrected by ridge regression
    towards where it was, with every text scaled so that its sum has length 1, as only the direction of a sum counts.
    Then all of them are mapped linearly.
    """
    design = design_of(examples.tokens, weights)
    fitted = (initial * weights[:, None]).astype(np.float32)
    return _map(design, examples, _correct(design, examples, fitted))


def design_of(tokens: Sequence[Sequence[int]], weights: Matrix) -> Sparse:
    """Return the weights of the tokens of each text, adding up to 1: shape (texts, tokens)."""
    from scipy import sparse  # pyright: ignore[reportMissingTypeStubs]

    counts = np.fromiter((len(each) for each in tokens), dtype=np.int64, count=len(tokens))
    columns = np.fromiter((token for each in tokens for token in each), dtype=np.int64, count=int(counts.sum()))
    rows = np.repeat(np.arange(len(tokens)), counts)
    totals = np.bincount(rows, weights=weights[columns], minlength=len(tokens))
    values = (1 / totals[rows]).astype(np.float32)
    return cast(Sparse, sparse).csr_matrix((values, (rows, columns)), shape=(len(tokens), len(weights)))


def _map(design: Sparse, examples: Examples, fitted: Matrix) -> Matrix:
    sums: Matrix = design @ fitted
    sums /= np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-6)
    counted = sums * examples.counts[:, None]
    gram = counted.T @ sums + PENALTY * np.eye(sums.shape[1])
    return (fitted @ np.linalg.solve(gram, counted.T @ examples.vectors)).astype(np.float32)


def _correct(design: Sparse, examples: Examples, fitted: Matrix) -> Matrix:
    lengths = np.linalg.norm(design @ fitted, axis=1)
    scale = np.clip(1 / np.maximum(lengths, 1e-6), 0.3, 4.0).astype(np.float32)
    scaled: Sparse = design.multiply(scale[:, None]).tocsr()
    back: Sparse = scaled.T.tocsr()
    counts = examples.counts[:, None]
    error: Matrix = back @ (counts * (examples.vectors - scaled @ fitted))
    return fitted + _solve(lambda step: back @ (counts * (scaled @ step)) + PENALTY * step, error)


def _solve(apply: Callable[[Matrix], Matrix], target: Matrix) -> Matrix:
    """Solve for each column by conjugate gradients; the operator is symmetric and positive definite."""
    solution = np.zeros_like(target)
    residual = target.copy()
    direction = residual.copy()
    size = start = (residual**2).sum(axis=0) + 1e-12
    for _ in range(STEPS):
        applied = apply(direction)
        rate = size / np.maximum((direction * applied).sum(axis=0), 1e-12)
        solution += rate * direction
        residual -= rate * applied
        previous, size = size, (residual**2).sum(axis=0)
        if (size / start).max() < TOLERANCE**2:
            break
        direction = residual + (size / np.maximum(previous, 1e-20)) * direction
    return solution
