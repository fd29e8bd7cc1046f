"""Where the values of users' attributes lie: numbers as they spread, categories on an axis each."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pgvector.psycopg import register_vector

from pgaudience.database import Connection
from pgaudience.errors import PgaudienceError
from pgaudience.learning.outcome import Key, Outcome, Value, arrange, read_outcome, strength
from pgaudience.learning.spread import Numbers, find_spread, standardized

LEAST_USERS = 2
"""A value that fewer have tells nobody apart from others like them."""

START_LENGTH = 5.0
"""How far from zero users start, in units of how far they spread: cosines are then distances, but for a fiftieth."""

_POLICIES = "select s.attributes, s.category_weight, s.dimensions from space s"
_COUNTS = """
select v.attribute, v.value, count(distinct v.user_key)
from attribute_values v
where v.number is null and (%(attributes)s::text[] is null or v.attribute = any (%(attributes)s))
    and v.attribute is distinct from (select s.outcome from space s)
group by v.attribute, v.value
order by v.attribute, v.value
"""
_NUMBERS = """
select v.attribute, array_agg(v.number::double precision order by v.user_key), array_agg(v.user_key order by v.user_key)
from attribute_values v
where v.number is not null and (%(attributes)s::text[] is null or v.attribute = any (%(attributes)s))
    and v.attribute is distinct from (select s.outcome from space s)
group by v.attribute
order by v.attribute
"""
_USERS = "select count(*) from users"
# Of values that an outcome arranges, all on the axis of their attribute, which is that of no value.
_FORMER = """
select x.attribute, case when not x.is_arranged then x.value end, x.embedding
from (
    select x.*, bool_or(x.fold is not null) over (partition by x.attribute) as is_arranged
    from attribute_axes x
    where x.attribute is not null
) x
where vector_norm(x.embedding) > 0
"""
_COPY = """
copy attribute_axes (attribute, value, fold, lowest, highest, power, center, scale, embedding) from stdin
"""
_DUE = """
select u.users > 0 and (
    not exists (select from attribute_axes)
    or s.trained_pairs is null
    or u.users >= 1.2 * s.trained_pairs
)
from space s
cross join (select count(*) as users from users) u
"""


@dataclass(frozen=True, slots=True)
class Described:
    """What a fit was made of: `left_out` are attributes that tell nobody apart, `rare` the values without an axis."""

    users: int
    numbers: list[str]
    categories: dict[str, int]
    left_out: list[str]
    rare: int


def fit_attributes(connection: Connection) -> Described:
    """Give the attributes of users their axes, in the current transaction; users follow at the next refresh.

    Distances between users are those of K-prototypes (Huang 1998, Extensions to the k-means algorithm for clustering
    large data sets with categorical values): numbers in standard deviations after the transform of Yeo and Johnson, and
    `category_weight` for each category in which they differ. With an outcome, the values of an attribute share an axis,
    see `arrange`, and each attribute counts by what it tells of the outcome. Values keep the axis they had.

    Raises PgaudienceError when nothing tells users apart, and where the outcome is of one class or not known.
    """
    register_vector(connection)
    chosen, weight, dimensions = connection.execute(_POLICIES).fetchone() or (None, 0.5, 0)
    asked = {"attributes": chosen}
    users = int((connection.execute(_USERS).fetchone() or (0,))[0])
    outcome = read_outcome(connection)
    columns = {row[0]: (np.array(row[1]), row[2]) for row in connection.execute(_NUMBERS, asked).fetchall()}
    spreads = {name: find_spread(numbers) for name, (numbers, _) in columns.items()}
    counts = {(row[0], row[1]): int(row[2]) for row in connection.execute(_COUNTS, asked).fetchall()}
    common = {key: count for key, count in counts.items() if count >= LEAST_USERS and count < users}
    values = [Value(name, None, None, 1.0, found) for name, found in spreads.items() if found is not None]
    shares = {key: count / users for key, count in common.items()}
    if outcome is None:
        root = float(np.sqrt(weight / 2))
        values += [Value(*key, None, root) for key in sorted(common, key=lambda key: (-common[key], key))]
    else:
        values = [each for each in (_by_strength(each, columns, outcome) for each in values) if each.length > 0]
        values += arrange(connection, asked, outcome, set(common), float(np.sqrt(2 * weight)), shares)
    room = dimensions - 1
    keys = list(dict.fromkeys(each.key(arranged=outcome is not None) for each in values))
    del keys[max(room, 0) :]
    if not keys:
        raise PgaudienceError(
            "a space of attributes needs two dimensions or more"
            if room < 1
            else "nothing is known of users that tells them apart"
            if outcome is None
            else "nothing that is known of users tells of the outcome more than chance does",
            "Load attributes: pgaudience load --users FILE; see which count: select attributes from space;",
        )
    axes = _axes(connection, keys, room)
    values = [each for each in values if each.key(arranged=outcome is not None) in axes]
    variance = sum(_variance(each, shares, arranged=outcome is not None) for each in values)
    start = _unit(dimensions, dimensions - 1, START_LENGTH * float(np.sqrt(variance)))
    connection.execute("delete from attribute_axes")
    with connection.cursor().copy(_COPY) as copy:
        for each in values:
            found = each.spread
            shape = (found.lowest, found.highest, found.power, found.center, found.scale) if found else (None,) * 5
            axis = axes[each.key(arranged=outcome is not None)]
            copy.write_row((each.attribute, each.value, each.fold, *shape, _unit(dimensions, axis, each.length)))
        copy.write_row((*(None,) * 8, start))
    categories: dict[str, int] = {}
    for each in values:
        if each.value is not None and each.fold is None:
            categories[each.attribute] = categories.get(each.attribute, 0) + 1
    placed = {attribute for attribute, _ in keys}
    left_out = sorted({*spreads, *(attribute for attribute, _ in counts)} - placed)
    rare = sum(attribute in placed for attribute, _ in counts) - sum(categories.values())
    numbers = sorted(each.attribute for each in values if each.spread is not None)
    return Described(users, numbers, categories, left_out, rare)


def _by_strength(value: Value, columns: dict[str, tuple[Numbers, list[int]]], outcome: Outcome) -> Value:
    """Let numbers count by the root of their correlation with the outcome."""
    numbers, keys = columns[value.attribute]
    spread = value.spread
    known = [(n, outcome.of[key]) for n, key in zip(numbers.tolist(), keys, strict=True) if key in outcome.of]
    if spread is None or len(known) < LEAST_USERS:
        return replace(value, length=0.0)
    moved = standardized(np.array([n for n, _ in known]), spread)
    return replace(value, length=float(np.sqrt(abs(strength(moved, np.array([y for _, y in known]))))))


def _variance(value: Value, shares: dict[Key, float], *, arranged: bool) -> float:
    if value.spread is not None:
        return value.length**2
    share = shares[value.attribute, value.value]
    if arranged:
        return share * value.length**2 if value.fold is None else 0.0
    return share * (1 - share) * value.length**2


def attributes_due(connection: Connection) -> bool:
    """Return whether attributes have no axes yet, or there are a fifth more users than when they were found."""
    return connection.execute(_DUE).fetchone() == (True,)


def _axes(connection: Connection, keys: list[Key], room: int) -> dict[Key, int]:
    """Return the axis of each key: the one it had, else one that is free."""
    rows = connection.cursor(binary=True).execute(_FORMER).fetchall()
    former = {(row[0], row[1]): int(np.abs(row[2].to_numpy()).argmax()) for row in rows}
    kept = {key: former[key] for key in keys if key in former}
    free = iter(sorted(set(range(room)) - set(kept.values())))
    return {key: kept[key] if key in kept else next(free) for key in keys}


def _unit(dimensions: int, axis: int, length: float) -> NDArray[np.float32]:
    vector = np.zeros(dimensions, dtype=np.float32)
    vector[axis] = length
    return vector
