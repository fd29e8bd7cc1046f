"""A column of texts that repeat: each text once, and for every row which one it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray


class Coded(Sequence[str]):
    """`texts[codes[i]]` for every row i; `codes` are integers of shape (n,), and every text is that of some row."""

    def __init__(self, texts: list[str], codes: NDArray[np.intp] | NDArray[np.int32]) -> None:
        self.texts = texts
        self.codes = codes

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, row: int) -> str: ...

    @overload
    def __getitem__(self, row: slice) -> Coded: ...

    def __getitem__(self, row: int | slice) -> str | Coded:
        return self.only(row) if isinstance(row, slice) else self.texts[int(self.codes[row])]

    def __iter__(self) -> Iterator[str]:
        return map(self.texts.__getitem__, self.codes.tolist())

    def only(self, rows: slice | NDArray[np.bool_]) -> Coded:
        """Return some of the rows, with the texts that they have."""
        used, codes = np.unique(self.codes[rows], return_inverse=True)
        return Coded([self.texts[code] for code in used.tolist()], codes)

    def map(self, function: Callable[[str], str]) -> Coded:
        """Return the column with the function applied to every text."""
        return Coded(list(map(function, self.texts)), self.codes)


def distinct(values: Sequence[str]) -> Sequence[str]:
    """Return the texts of a column, once each where that is known."""
    return values.texts if isinstance(values, Coded) else values
