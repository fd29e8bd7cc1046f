"""Where the values of users' attributes lie: numbers as they spread, categories on an axis each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from pgvector.psycopg import register_vector

from pgaudience.database import Connection
from pgaudience.errors import PgaudienceError

Numbers = NDArray[np.float64]
Key = tuple[str, str | None]

LEAST_USERS = 2
"""A value that fewer have tells nobody apart from others like them."""

SAMPLE_SIZE = 20_000
"""So many numbers say which transform makes them normal."""

START_LENGTH = 5.0
"""How far from zero users start, in units of how far they spread: cosines are then distances, but for a fiftieth."""

_POLICIES = "select s.attributes, s.category_weight, s.dimensions from space s"
_COUNTS = """
select v.attribute, v.value, count(distinct v.user_key)
from attribute_values v
where v.number is null and (%(attributes)s::text[] is null or v.attribute = any (%(attributes)s))
group by v.attribute, v.value
order by v.attribute, v.value
"""
_NUMBERS = """
select v.attribute, array_agg(v.number::double precision order by v.user_key)
from attribute_values v
where v.number is not null and (%(attributes)s::text[] is null or v.attribute = any (%(attributes)s))
group by v.attribute
order by v.attribute
"""
_USERS = "select count(*) from users"
_FORMER = "select attribute, value, embedding from attribute_axes where attribute is not null"
_INSERT = """
insert into attribute_axes (attribute, value, lowest, highest, power, center, scale, embedding)
values (%s, %s, %s, %s, %s, %s, %s, %s)
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
class Spread:
    """How the numbers of an attribute are turned into standard deviations from their mean."""

    lowest: float
    highest: float
    power: float
    center: float
    scale: float


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
    `category_weight` for each category in which they differ. Values keep the axis they had.

    Raises PgaudienceError when nothing tells users apart.
    """
    register_vector(connection)
    chosen, weight, dimensions = connection.execute(_POLICIES).fetchone() or (None, 0.5, 0)
    asked = {"attributes": chosen}
    users = int((connection.execute(_USERS).fetchone() or (0,))[0])
    spreads = {row[0]: find_spread(np.array(row[1])) for row in connection.execute(_NUMBERS, asked).fetchall()}
    counts = {(row[0], row[1]): int(row[2]) for row in connection.execute(_COUNTS, asked).fetchall()}
    numbers = {name: spread for name, spread in spreads.items() if spread is not None}
    common = {key: count for key, count in counts.items() if count >= LEAST_USERS and count < users}
    room = dimensions - 1
    keys: list[Key] = [(name, None) for name in numbers]
    keys += sorted(common, key=lambda key: (-common[key], key))
    del keys[max(room, 0) :]
    if not keys:
        raise PgaudienceError(
            "nothing is known of users that tells them apart"
            if room > 0
            else "a space of attributes needs two dimensions or more",
            "Load attributes: pgaudience load --users FILE; see which count: select attributes from space;",
        )
    root = float(np.sqrt(weight / 2))
    axes = _axes(connection, keys, room)
    shares = np.array([common[key] / users for key in keys if key[1] is not None])
    spread = len(numbers) + weight / 2 * float((shares * (1 - shares)).sum())
    connection.execute("delete from attribute_axes")
    for key, axis in axes.items():
        found = numbers.get(key[0]) if key[1] is None else None
        shape = (found.lowest, found.highest, found.power, found.center, found.scale) if found else (None,) * 5
        connection.execute(_INSERT, [*key, *shape, _unit(dimensions, axis, 1.0 if found else root)])
    start = _unit(dimensions, dimensions - 1, START_LENGTH * float(np.sqrt(spread)))
    connection.execute(_INSERT, [None, None, *(None,) * 5, start])
    categories: dict[str, int] = {}
    for attribute, value in keys:
        if value is not None:
            categories[attribute] = categories.get(attribute, 0) + 1
    placed = {attribute for attribute, _ in keys}
    left_out = sorted({*spreads, *(attribute for attribute, _ in counts)} - placed)
    rare = sum(attribute in placed for attribute, _ in counts) - sum(categories.values())
    return Described(users, sorted(numbers), categories, left_out, rare)


def attributes_due(connection: Connection) -> bool:
    """Return whether attributes have no axes yet, or there are a fifth more users than when they were found."""
    return connection.execute(_DUE).fetchone() == (True,)


def find_spread(numbers: Numbers) -> Spread | None:
    """Return how numbers spread, or None where they are all the same.

    The power is the one of greatest likelihood: Yeo and Johnson (2000), A new family of power transformations to
    improve normality or symmetry. It is between -3 and 5, where 1 leaves numbers as they are.
    """
    from scipy import optimize, stats  # pyright: ignore[reportMissingTypeStubs]

    if numbers.min() == numbers.max():
        return None
    few = np.random.default_rng(0).choice(numbers, min(len(numbers), SAMPLE_SIZE), replace=False)

    def unlikelihood(power: float) -> float:
        with np.errstate(all="ignore"):
            found = -float(cast(Any, stats).yeojohnson_llf(power, few))
        return found if np.isfinite(found) else np.inf

    power = float(cast(Any, optimize).minimize_scalar(unlikelihood, bounds=(-3, 5), method="bounded").x)
    with np.errstate(all="ignore"):
        moved = cast(Numbers, cast(Any, stats).yeojohnson(numbers, power))
    if not np.isfinite(moved).all() or moved.std() < 1e-9 * max(abs(float(moved.mean())), 1e-300):
        power, moved = 1.0, numbers
    scale = float(moved.std())
    if not np.isfinite(scale) or scale <= 0:
        return None
    return Spread(float(numbers.min()), float(numbers.max()), power, float(moved.mean()), scale)


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
