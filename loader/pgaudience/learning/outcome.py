"""Categories arranged by an outcome: each lies where the outcome of its users is, but never one's own."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgaudience.database import Connection
from pgaudience.errors import PgaudienceError
from pgaudience.learning.spread import Spread

Key = tuple[str, str | None]

FOLDS = 5
"""As in outcome_fold: a user is placed by the outcomes of the other four fifths."""

SMOOTHING = 10.0
"""So many users with the mean outcome are added to those of a value: what few have had says little."""

_OUTCOME = """
select s.outcome, s.outcome_value, coalesce(k.kind, 'text')
from space s
left join attribute_kinds k on (k.relation, k.attribute) = ('users', s.outcome)
where s.outcome is not null
"""
_KNOWN = """
select u.user_key, u.attributes ->> s.outcome
from users u
cross join space s
where u.attributes ->> s.outcome is not null
"""
_HELD = """
select v.attribute, v.value, v.user_key
from attribute_values v
where v.number is null and (%(attributes)s::text[] is null or v.attribute = any (%(attributes)s))
    and v.attribute <> (select s.outcome from space s) and v.fold is not null
"""
_FOLDS_OF = "select u.user_key, outcome_fold(u.user_key) from users u"
_ATTRIBUTES = (
    "select string_agg(k.attribute, ', ' order by k.attribute) from attribute_kinds k where relation = 'users'"
)


@dataclass(frozen=True, slots=True)
class Value:
    """What a value of an attribute adds: `length` on its axis; of numbers, for each standard deviation."""

    attribute: str
    value: str | None
    fold: int | None
    length: float
    spread: Spread | None = None

    def key(self, *, arranged: bool) -> Key:
        """Return what has an axis: a category, or the attribute as a whole."""
        return self.attribute, None if arranged else self.value


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of each user who has one, as a number."""

    of: dict[int, float]
    mean: float


def read_outcome(connection: Connection) -> Outcome | None:
    """Return the outcome of the users; None in a space without one.

    Raises PgaudienceError when it says nothing: nobody has it, or all the same, or it has several values and none is
    named.
    """
    name, value, kind = connection.execute(_OUTCOME).fetchone() or (None, None, None)
    if name is None:
        return None
    known: dict[int, str] = dict(connection.execute(_KNOWN).fetchall())
    classes = sorted(set(known.values()))
    if not classes:
        (there,) = connection.execute(_ATTRIBUTES).fetchone() or (None,)
        raise PgaudienceError(
            f"no user has the outcome {name!r}", f"There are: {there}; name one: train --outcome ATTRIBUTE"
        )
    if len(classes) == 1 or (value is not None and value not in classes):
        raise PgaudienceError(
            f"the outcome {name!r} is of one class: of {len(known):,} users who have it,"
            f" {'none' if value is not None and value not in classes else 'each'} has {value or classes[0]!r}",
            "An outcome tells users apart; leave it out for those of whom it is not known yet.",
        )
    if kind == "number" and value is None:
        numbers = {key: float(number) for key, number in known.items()}
    elif value is None and len(classes) > 2:
        raise PgaudienceError(
            f"the outcome {name!r} has {len(classes):,} values",
            f"Name the one that counts: train --outcome {name}=VALUE",
        )
    else:
        numbers = {key: float(text == (value or classes[-1])) for key, text in known.items()}
    return Outcome(numbers, float(np.mean(list(numbers.values()))))


def arrange(
    connection: Connection,
    asked: dict[str, Any],
    outcome: Outcome,
    common: set[Key],
    weight: float,
    shares: dict[Key, float],
) -> list[Value]:
    """Place the values of each attribute on one axis, by the mean outcome of those who have them.

    That is target encoding, smoothed (Micci-Barreca 2001, A preprocessing scheme for high-cardinality categorical
    attributes), and cross-fitted: for the users of each fold it is made of the other folds. An attribute counts by the
    root of the correlation between the outcome and what is so made of others'; one by chance is none.
    """
    folds: dict[int, int] = dict(connection.execute(_FOLDS_OF).fetchall())
    sums: dict[str, dict[str, NDArray[np.float64]]] = defaultdict(lambda: defaultdict(lambda: np.zeros((FOLDS, 2))))
    held: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for attribute, value, user in connection.execute(_HELD, asked).fetchall():
        if (attribute, value) in common:
            sums[attribute][value][folds[user]] += (1, outcome.of[user])
            held[attribute].append((value, user))
    found: list[Value] = []
    for attribute in sorted(sums):
        codes = {value: _codes(of_folds, outcome.mean) for value, of_folds in sums[attribute].items()}
        unseen = np.array([codes[value][folds[user]] for value, user in held[attribute]])
        told = strength(unseen, np.array([outcome.of[user] for _, user in held[attribute]]))
        deviation = float(np.sqrt(sum(shares[attribute, value] * code[-1] ** 2 for value, code in codes.items())))
        if told <= 0 or deviation <= 0:
            continue
        factor = weight * np.sqrt(told) / deviation
        for value, code in codes.items():
            lengths = (code * factor).tolist()
            found += [Value(attribute, value, fold, length) for fold, length in enumerate(lengths[:FOLDS])]
            found.append(Value(attribute, value, None, lengths[FOLDS]))
    return found


def _codes(of_folds: NDArray[np.float64], mean: float) -> NDArray[np.float64]:
    """Return how far from the mean the outcome of a value is, without each fold, and last of all folds."""
    users, sums = np.vstack([of_folds.sum(axis=0) - of_folds, of_folds.sum(axis=0)]).T
    return (sums + SMOOTHING * mean) / (users + SMOOTHING) - mean


def strength(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the correlation of two columns, shape (users,); 0 where it may be one of chance."""
    found = correlation(one, other) if len(one) else 0.0
    return found if abs(found) * np.sqrt(len(one)) > 2 else 0.0


def correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the correlation of two columns; 0 where one of them is constant."""
    apart = one.std() * other.std()
    return float(((one - one.mean()) * (other - other.mean())).mean() / apart) if apart > 0 else 0.0
