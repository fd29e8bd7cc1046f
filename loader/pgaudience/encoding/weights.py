"""The weights of a model as rows: read with safetensors and numpy, in the form that SQL multiplies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgaudience.encoding.model import CannotRun, EncoderModel

Matrix = NDArray[np.float32]

_PREFIXES = ("", "bert.", "0.auto_model.")


class Weights:
    """The tensors of a model's weights file.

    What can be is folded into them: the width of a head into the queries, the root of two of gelu into the matrices
    around it, the root of the width, which a unit vector lacks, into the layer norms.

    Raises CannotRun where the file cannot be read, lacks a tensor, or has one of another shape or with NaN.
    """

    def __init__(self, model: EncoderModel) -> None:
        self._model = model
        self._tensors = _open(model.folder / "model.safetensors")
        names = set(self._tensors.keys())
        probe = "embeddings.word_embeddings.weight"
        found = next((prefix for prefix in _PREFIXES if prefix + probe in names), None)
        if found is None:
            raise CannotRun(f"its weights have no {probe}")
        self._prefix = found

    def tokens(self) -> Iterator[tuple[str, NDArray[np.float16]]]:
        """Yield each token of the vocabulary with its vector, which includes that of the first segment."""
        model = self._model
        words = self._matrix("embeddings.word_embeddings.weight", None, model.width)
        segment = self._matrix("embeddings.token_type_embeddings.weight", None, model.width)[0]
        if max(model.vocabulary.values()) >= len(words):
            raise CannotRun(f"its vocabulary has more tokens than its weights, {len(words):,}")
        halves = _half(words + segment)
        for token, number in sorted(model.vocabulary.items()):
            yield token, halves[number]

    def positions(self) -> Iterator[tuple[int, Matrix]]:
        """Yield the vector of each position, from 1."""
        found = self._matrix("embeddings.position_embeddings.weight", None, self._model.width)
        yield from enumerate(found[: self._model.max_tokens], start=1)

    def norms(self) -> Iterator[tuple[int, str, Matrix, Matrix]]:
        """Yield layer, name, scale and shift of each layer norm."""
        yield self._norm(0, "input", "embeddings")
        for layer in range(1, self._model.layers + 1):
            yield self._norm(layer, "attention", f"encoder.layer.{layer - 1}.attention.output")
            yield self._norm(layer, "output", f"encoder.layer.{layer - 1}.output")

    def units(self) -> Iterator[tuple[int, str, int, int, float, NDArray[np.float16]]]:
        """Yield layer, matrix, head, number, bias and weights of each unit, in the order of the table's key."""
        width, intermediate = self._model.width, self._model.intermediate
        of_head = width // self._model.heads
        root = 0.5**0.5
        # Name, place in the file, units, inputs, factor of the weights, factor of the bias.
        matrices = (
            ("attention", "attention.output.dense", width, width, 1.0, 1.0),
            ("key", "attention.self.key", width, width, 1.0, 1.0),
            ("narrow", "output.dense", width, intermediate, root, 1.0),
            ("query", "attention.self.query", width, width, of_head**-0.5, of_head**-0.5),
            ("value", "attention.self.value", width, width, 1.0, 1.0),
            ("wide", "intermediate.dense", intermediate, width, root, root),
        )
        for layer in range(1, self._model.layers + 1):
            for name, path, units, inputs, factor, bias_factor in matrices:
                place = f"encoder.layer.{layer - 1}.{path}"
                weights = _half(self._matrix(f"{place}.weight", units, inputs) * np.float32(factor))
                bias = self._vector(f"{place}.bias", units) * np.float32(bias_factor)
                size = of_head if name in ("query", "key", "value") else units
                for unit in range(units):
                    yield layer, name, unit // size, unit, float(bias[unit]), weights[unit]

    def _norm(self, layer: int, name: str, path: str) -> tuple[int, str, Matrix, Matrix]:
        width = self._model.width
        scale = self._vector(f"{path}.LayerNorm.weight", width) * np.float32(width**0.5)
        return layer, name, scale, self._vector(f"{path}.LayerNorm.bias", width)

    def _vector(self, name: str, size: int) -> Matrix:
        found = self._tensor(name)
        if found.shape != (size,):
            raise CannotRun(f"its tensor {name} has the shape {found.shape}, not {(size,)}")
        return found

    def _matrix(self, name: str, rows: int | None, columns: int) -> Matrix:
        found = self._tensor(name)
        if found.ndim != 2 or found.shape[1] != columns or (rows is not None and len(found) != rows):
            raise CannotRun(f"its tensor {name} has the shape {found.shape}, not {(rows or 'any', columns)}")
        return found

    def _tensor(self, name: str) -> Matrix:
        try:
            found = np.asarray(self._tensors.get_tensor(self._prefix + name), dtype=np.float32)
        except Exception as error:  # the library raises its own error for a name, TypeError for bfloat16
            raise CannotRun(f"its tensor {name} cannot be read: {error}") from error
        if not np.isfinite(found).all():
            raise CannotRun(f"its tensor {name} has numbers that are not finite")
        return found


def _open(file: Path) -> Any:
    from safetensors import SafetensorError, safe_open

    try:
        return safe_open(file, framework="numpy")
    except (SafetensorError, OSError) as error:
        raise CannotRun(f"its {file.name} cannot be read: {error}") from error


def _half(matrix: Matrix) -> NDArray[np.float16]:
    with np.errstate(over="ignore"):
        halves = matrix.astype(np.float16)
    if not np.isfinite(halves).all():
        raise CannotRun("it has weights beyond half precision")
    return halves
