"""Fit a layer of hidden units on top of the sums of token vectors, and the token vectors with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgaudience.distilling.regression import Examples, Matrix, design_of
from pgaudience.progress import Progress

UNITS = 512
EPOCHS = 4
BATCH = 2048
RATE = 2e-3
TOKEN_RATE = 6e-3
LEAST_RATE = 0.02
MOMENTUM, SCALING = 0.9, 0.99


@dataclass(slots=True)
class Layer:
    """What is added to a sum x of unit length: output · max(0, input · x + bias)."""

    input: Matrix
    bias: Matrix
    output: Matrix

    def __call__(self, sums: Matrix) -> Matrix:
        """Return the corrected sums, not scaled."""
        return sums + np.maximum(sums @ self.input.T + self.bias, 0) @ self.output.T


class _Adam:
    """Kingma and Ba (2015), Adam; of a matrix whose gradient has few rows, the other rows rest."""

    def __init__(self, parameters: Matrix) -> None:
        self._parameters = parameters
        self._mean = np.zeros_like(parameters)
        self._square = np.zeros_like(parameters)
        self._step = 0

    def step(self, gradient: Matrix, rate: float, rows: Any = slice(None)) -> None:
        self._step += 1
        mean = MOMENTUM * self._mean[rows] + (1 - MOMENTUM) * gradient
        square = SCALING * self._square[rows] + (1 - SCALING) * gradient**2
        self._mean[rows], self._square[rows] = mean, square
        rate *= (1 - SCALING**self._step) ** 0.5 / (1 - MOMENTUM**self._step)
        self._parameters[rows] -= rate * mean / (np.sqrt(square) + 1e-10)


def refine(examples: Examples, tokens: Matrix, progress: Progress) -> tuple[Matrix, Layer]:
    """Return token vectors and a layer whose results point where the examples' vectors point.

    It goes down the gradient of 1 - cosine from the token vectors given, and from a layer that adds nothing.
    """
    random = np.random.default_rng(0)
    design = design_of(examples.tokens, np.ones(len(tokens), dtype=np.float32))
    dimensions = tokens.shape[1]
    tokens = tokens / np.median(np.linalg.norm(design @ tokens, axis=1))
    layer = Layer(
        (random.standard_normal((UNITS, dimensions)) / 2).astype(np.float32),
        np.zeros(UNITS, dtype=np.float32),
        np.zeros((dimensions, UNITS), dtype=np.float32),
    )
    optimizers = [_Adam(parameters) for parameters in (layer.input, layer.bias, layer.output)]
    tokens_optimizer = _Adam(tokens)
    steps = EPOCHS * -(-len(examples.tokens) // BATCH)
    for number, batch in enumerate(_batches(len(examples.tokens), random)):
        rate = max(LEAST_RATE, 1 - number / steps)
        part = design[batch]
        rows = np.unique(part.indices)
        part = part[:, rows]
        gradients, sums_gradient = _gradients(
            part @ tokens[rows], layer, examples.vectors[batch], examples.counts[batch]
        )
        for optimizer, gradient in zip(optimizers, gradients, strict=True):
            optimizer.step(gradient, RATE * rate)
        tokens_optimizer.step(part.T @ sums_gradient, TOKEN_RATE * rate, rows)
        if (number + 1) * EPOCHS // steps > number * EPOCHS // steps:
            progress.advance(1)
    return tokens, layer


def _batches(number: int, random: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    for _ in range(EPOCHS):
        order = random.permutation(number)
        for first in range(0, number, BATCH):
            yield order[first : first + BATCH]


def _gradients(sums: Matrix, layer: Layer, vectors: Matrix, counts: Matrix) -> tuple[tuple[Matrix, ...], Matrix]:
    lengths = np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-6)
    sums = sums / lengths
    hidden = np.maximum(sums @ layer.input.T + layer.bias, 0)
    results = sums + hidden @ layer.output.T
    result_lengths = np.maximum(np.linalg.norm(results, axis=1, keepdims=True), 1e-6)
    results /= result_lengths
    counted = counts[:, None] / counts.sum()
    cosines = (results * vectors).sum(axis=1, keepdims=True)
    back = counted * (results * cosines - vectors) / result_lengths
    hidden_back = (back @ layer.output) * (hidden > 0)
    sums_back = back + hidden_back @ layer.input
    sums_back = (sums_back - sums * (sums * sums_back).sum(axis=1, keepdims=True)) / lengths
    return (hidden_back.T @ sums, hidden_back.sum(axis=0), back.T @ hidden), sums_back
