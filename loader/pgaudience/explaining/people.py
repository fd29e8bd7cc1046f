"""Users in segments as a table of numbers, a column for each number and for each common value of a category."""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pgaudience.database import Connection
from pgaudience.errors import PgaudienceError

SAMPLE_SIZE = 20_000
LEAST_HELD_BACK = 100
"""From so many users on, every third one is held back to judge by."""

MOST_VALUES = 20
LEAST_SHARE = 0.01

_ATTRIBUTES = """
select d.attribute, d.kind = 'number'
from segment_drivers d
where d.segmentation = %s
order by d.attribute collate "C"
"""
_USERS = """
select m.segment_id, u.attributes
from segment_assignments m
join users u using (user_key)
where m.run_id = published_run(%s)
order by hashint8extended(m.user_key, 0), m.user_key
limit %s
"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: a number, or whether a category has one value."""

    attribute: str
    value: str | None
    """Of a category: which value; None for a number."""
    is_whole: bool
    """Whether a number has no decimals, whoever has it."""


@dataclass(frozen=True, slots=True)
class People:
    """A sample of the users in segments, always the same one."""

    columns: list[Column]
    table: NDArray[np.float64]
    """Shape (users, columns); a number that is not known is NaN, a value that is not known is 0 everywhere."""
    segments: NDArray[np.int64]
    held_back: NDArray[np.bool_]
    """Who is not fitted to, and judged by; everybody is both where there are few."""

    @property
    def attributes(self) -> list[str]:
        """The attributes, each once, in order."""
        return list(dict.fromkeys(column.attribute for column in self.columns))

    @property
    def fitted(self) -> NDArray[np.bool_]:
        """Who is fitted to."""
        return self.held_back if self.held_back.all() else ~self.held_back


def require_scikit_learn() -> None:
    """Raise PgaudienceError where the extra is not installed."""
    if importlib.util.find_spec("sklearn") is None:
        raise PgaudienceError("the Python package scikit-learn is not installed", 'pip install "pgaudience[explain]"')


def read_people(connection: Connection, segmentation: str) -> People:
    """Read up to SAMPLE_SIZE users of the published run with the attributes that are in segment_drivers.

    Raises PgaudienceError where nothing is known of them, or they are in one segment.
    """
    rows = connection.execute(_USERS, [segmentation, SAMPLE_SIZE]).fetchall()
    kinds: dict[str, bool] = dict(connection.execute(_ATTRIBUTES, [segmentation]).fetchall())
    connection.commit()
    if not kinds:
        raise PgaudienceError(
            f"no attributes are known of the users in {segmentation!r}",
            "Load some with --users FILE, and build the segmentation again: pgaudience segment",
        )
    segments = np.array([segment_id for segment_id, _ in rows], dtype=np.int64)
    if len(np.unique(segments)) < 2:
        raise PgaudienceError(f"{segmentation!r} has one segment: there is nothing to tell apart")
    columns: list[Column] = []
    values: list[NDArray[np.float64]] = []
    for attribute, is_number in kinds.items():
        cells = [attributes.get(attribute) for _, attributes in rows]
        for column, numbers in _number(attribute, cells) if is_number else _category(attribute, cells):
            columns.append(column)
            values.append(numbers)
    everybody = len(rows) < LEAST_HELD_BACK
    held_back = np.ones(len(rows), dtype=bool) if everybody else np.arange(len(rows)) % 3 == 0
    return People(columns, np.column_stack(values), segments, held_back)


def _number(attribute: str, cells: Sequence[object]) -> list[tuple[Column, NDArray[np.float64]]]:
    numbers = np.array([cell if isinstance(cell, int | float) else np.nan for cell in cells], dtype=np.float64)
    known = numbers[~np.isnan(numbers)]
    return [(Column(attribute, None, bool((known == np.floor(known)).all())), numbers)] if len(known) else []


def _category(attribute: str, cells: Sequence[object]) -> list[tuple[Column, NDArray[np.float64]]]:
    texts = [_text(cell) for cell in cells]
    counts = Counter(text for text in texts if text is not None)
    common = sorted(counts, key=lambda value: (-counts[value], value))[:MOST_VALUES]
    return [
        (Column(attribute, value, False), np.array([text == value for text in texts], dtype=np.float64))
        for value in common
        if counts[value] >= LEAST_SHARE * len(cells)
    ]


def _text(cell: object) -> str | None:
    if cell is None or isinstance(cell, Mapping | list):
        return None
    return ("true" if cell else "false") if isinstance(cell, bool) else str(cell).strip() or None
