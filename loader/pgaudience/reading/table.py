"""What every format is read as: a header, and batches of raw values column by column."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from pgaudience.reading.rejects import Reject

ROWS_A_BATCH = 10_000


@dataclass(frozen=True, slots=True)
class Batch:
    """Some thousand rows: one sequence of values for each column asked for, all of one length.

    `written(i)` gives the line of row i and its text as written; it is called for rejected rows only. `rejected` are
    the rows that did not get as far as having columns. `consumed` is how many bytes of the source lie behind.
    """

    columns: Sequence[Sequence[object]]
    written: Callable[[int], tuple[int, str]]
    rejected: Sequence[Reject]
    consumed: int


class Table(Protocol):
    """Rows in some format. They can be read once."""

    @property
    def header(self) -> Sequence[str]:
        """The names of the columns; none where there is no row to tell them."""
        ...

    def batches(self, names: Sequence[str]) -> Iterator[Batch]:
        """Read these columns of all rows; the batches have them in the order of `names`."""
        ...


class Origin(Protocol):
    """Where a table comes from."""

    @property
    def name(self) -> str:
        """What to call it in messages."""
        ...

    @property
    def size(self) -> int | None:
        """Its bytes, where they are known beforehand."""
        ...

    def digest(self) -> bytes:
        """SHA-256 of its content."""
        ...

    def close(self) -> None:
        """Let go of the file or the connection."""
        ...
