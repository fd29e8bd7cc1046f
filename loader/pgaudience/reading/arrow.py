"""Columns of Arrow as Python values."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgaudience.reading.reasons import NOT_UTF8, OUT_OF_RANGE, Reason


@dataclass(frozen=True, slots=True)
class Column:
    """The values of a column, and the rows whose value cannot be had; there it is text for people, or None."""

    values: list[object]
    faults: dict[int, Reason] = field(default_factory=dict[int, Reason])


def column_of(array: Any) -> Column:
    """Turn an Arrow array into Python values.

    Texts keep broken bytes, and times lose what is below a microsecond. A time before the year 1 or after 9999 is a
    fault.
    """
    arrow = import_module("pyarrow")
    if arrow.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    array = _to_microseconds(arrow, array)
    try:
        return Column(array.to_pylist())
    except UnicodeDecodeError:
        return _with_broken_bytes(arrow, array)
    except (ValueError, OverflowError, arrow.ArrowException):
        return _one_by_one(arrow, array)


def row_sizes(array: Any) -> NDArray[np.float64]:
    """About how many bytes the values of each row have when each is written out, shape (len(array),)."""
    arrow, compute = import_module("pyarrow"), import_module("pyarrow.compute")
    kind = array.type
    if arrow.types.is_dictionary(kind):
        sizes = np.append(row_sizes(array.dictionary), 0)
        return sizes[_places(array)]
    if arrow.types.is_string(kind) or arrow.types.is_binary(kind) or (
        arrow.types.is_large_string(kind) or arrow.types.is_large_binary(kind)
    ):  # fmt: skip
        return compute.fill_null(compute.binary_length(array), 0).to_numpy(zero_copy_only=False).astype(np.float64)
    if arrow.types.is_list(kind) or arrow.types.is_large_list(kind):
        ends = np.cumsum(compute.fill_null(compute.list_value_length(array), 0).to_numpy(zero_copy_only=False))
        sums = np.concatenate([[0], np.cumsum(row_sizes(array.flatten()))])
        return np.diff(sums[np.concatenate([[0], ends])])
    if arrow.types.is_struct(kind):
        return sum((row_sizes(part) for part in array.flatten()), np.zeros(len(array)))
    return np.full(len(array), array.nbytes / max(len(array), 1))


def _places(array: Any) -> NDArray[np.int64]:
    """Where in the dictionary the value of each row stands; -1 for a null."""
    indices = array.indices.cast("int64").fill_null(-1)
    return indices.to_numpy(zero_copy_only=False)


def _to_microseconds(arrow: Any, array: Any) -> Any:
    """Cut what is below a microsecond; what has a zone is taken in UTC, as Arrow stores it."""
    kind = array.type
    if arrow.types.is_timestamp(kind):
        return array.cast(arrow.timestamp("us" if kind.unit == "ns" else kind.unit), safe=False)
    if arrow.types.is_time64(kind) and kind.unit == "ns":
        return array.cast(arrow.time64("us"), safe=False)
    if arrow.types.is_duration(kind) and kind.unit == "ns":
        return array.cast(arrow.duration("us"), safe=False)
    return array


def _with_broken_bytes(arrow: Any, array: Any) -> Column:
    try:
        return Column(array.cast(arrow.large_binary()).to_pylist())
    except arrow.ArrowException:  # a list of texts
        return _one_by_one(arrow, array)


def _one_by_one(arrow: Any, array: Any) -> Column:
    values, faults = list[object](), dict[int, Reason]()
    for row, scalar in enumerate(array):
        try:
            values.append(scalar.as_py())
        except UnicodeDecodeError:
            values.append(None)
            faults[row] = NOT_UTF8
        except (ValueError, OverflowError, arrow.ArrowException):
            values.append(_shown(arrow, scalar))
            faults[row] = OUT_OF_RANGE
    return Column(values, faults)


def _shown(arrow: Any, scalar: Any) -> str | None:
    try:
        return f"{scalar.cast(arrow.int64()).as_py()} ({scalar.type})"
    except arrow.ArrowException:
        return None
