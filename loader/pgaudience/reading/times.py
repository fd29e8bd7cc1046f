"""Times of any source as microseconds since 1970-01-01 UTC."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from pgaudience.reading.coded import Coded
from pgaudience.reading.values import to_number

NO_TIME = int(np.iinfo(np.int64).min)  # the row says nothing about when
BAD_TIME = int(np.iinfo(np.int64).max)  # the row says something that is not a time

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

# Numbers below are no times but counters, years or a mark for 'missing'; 1e8 seconds is March 1973.
FIRST_SECOND = 1e8
FIRST_MILLISECOND = 1e11
LAST_MILLISECOND = 1e13


def to_micros(values: Sequence[object]) -> NDArray[np.int64]:
    """Microseconds since 1970 UTC of every value, shape (n,): NO_TIME where blank, BAD_TIME where not a time.

    A time is a date, a datetime, an ISO 8601 text, or a number of seconds (1e8 to 1e11) or of milliseconds (1e11 to
    1e13). What has no zone is UTC, and a date is its midnight. Eight digits are a date, as ISO 8601 has it.
    """
    if isinstance(values, Coded):
        return to_micros(values.texts)[values.codes]
    micros = {value: _micros(value) for value in set(values)}
    return np.fromiter(map(micros.__getitem__, values), np.int64, len(values))


def _micros(value: object) -> int:
    if value is None or value != value:  # NaN, a blank in a column of floats
        return NO_TIME
    if isinstance(value, str):
        return _micros_of_text(value.strip())
    if isinstance(value, datetime):
        return _micros_of_datetime(value)
    if isinstance(value, date):
        return _micros_of_datetime(datetime.combine(value, time()))
    if isinstance(value, int | float | Decimal):
        return _micros_of_number(to_number(value))
    return BAD_TIME


def _micros_of_text(text: str) -> int:
    if not text:
        return NO_TIME
    if len(text) != len("20260531") or not text.isdigit():
        number = to_number(text)
        if not math.isnan(number):
            return _micros_of_number(number)
    try:
        return _micros_of_datetime(datetime.fromisoformat(text.removesuffix(" UTC")))
    except ValueError:
        return BAD_TIME


def _micros_of_datetime(moment: datetime) -> int:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - EPOCH) // MICROSECOND


def _micros_of_number(number: float) -> int:
    if FIRST_SECOND <= number < FIRST_MILLISECOND:
        return round(number * 1_000_000)
    if FIRST_MILLISECOND <= number < LAST_MILLISECOND:
        return round(number * 1_000)
    return BAD_TIME
