"""Values of any source as text or as a number."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import cast

import numpy as np
from numpy.typing import NDArray

from pgaudience.reading.coded import Coded
from pgaudience.reading.reasons import LONGEST_NUMBER


def to_text(value: object) -> str:
    """Take a value as the text that identifies it; nothing (None, not a number) is the empty text.

    Whole numbers have no decimal point whatever their type: a column of integers with blanks comes out of pandas as
    17850.0, and it is still customer 17850. Lists and objects become JSON, bytes are taken for UTF-8.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | Decimal):
        return _number_text(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(cast("bytes", value)).decode("utf-8", "surrogateescape")
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, list | dict):
        return as_json(cast("object", value))
    return str(value)


def to_number(value: object) -> float:
    """Take a number or a numeric text as a float; not a number (nan) where it is neither.

    Stricter than float(): "1_000" is no number, neither is a truth value.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return math.nan
    if isinstance(value, str) and "_" in value:
        return math.nan
    try:
        return float(value)
    except (ValueError, OverflowError):
        return math.nan


def to_numbers(values: Sequence[object]) -> NDArray[np.float64]:
    """`to_number` of every value, shape (n,), at the speed of float() where all of them are good."""
    if isinstance(values, Coded):
        return to_numbers(values.texts)[values.codes]
    found = kinds(values)
    if found <= {int, float, Decimal} or (found == {str} and "_" not in "".join(values)):  # type: ignore[arg-type]
        try:
            return np.fromiter(map(float, values), np.float64, len(values))  # type: ignore[arg-type]
        except (ValueError, OverflowError):
            pass
    return np.fromiter(map(to_number, values), np.float64, len(values))


def kinds(values: Sequence[object]) -> set[type]:
    """Return the types that occur among the values."""
    return {str} if isinstance(values, Coded) else set(map(type, values))


def as_json(value: object) -> str:
    """Write a value as JSON for people to read; what JSON does not know becomes text."""
    text = json.dumps(value, ensure_ascii=False, default=_json_value)
    return text if is_utf8(text) else json.dumps(value, default=_json_value)


def is_utf8(text: str) -> bool:
    """Whether a text can be stored as UTF-8: it has no lone surrogates, which stand for broken bytes."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_boundless(value: object) -> bool:
    """Whether a value is a number that is infinite, or has more digits than anybody means."""
    if isinstance(value, float):
        return math.isinf(value)
    if not isinstance(value, Decimal):
        return False
    return value.is_infinite() or (value.is_finite() and abs(value.adjusted()) > LONGEST_NUMBER)


def _number_text(value: float | Decimal) -> str:
    """Write a number without an exponent, so that numbers of one column look alike."""
    if value != value:  # NaN
        return ""
    if is_boundless(value):
        return str(value)
    return str(int(value)) if value == int(value) else format(Decimal(str(value)), "f")


def _json_value(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else to_text(value)
