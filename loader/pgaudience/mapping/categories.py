"""Multiple correspondence analysis: where the categories of users' attributes lie, and users between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from pgaudience.database import Connection
from pgaudience.errors import PgaudienceError
from pgaudience.mapping.axes import signed
from pgaudience.mapping.points import SAMPLE_SIZE

Matrix = NDArray[np.float64]
Row = NDArray[np.float64]

MOST_CATEGORIES = 2000
LEAST_USERS = 2
_TINY = 1e-9

_CATEGORIES = """
select v.attribute, v.value, count(distinct v.user_key), array_agg(distinct v.user_key)
from attribute_values v
cross join space s
where v.number is null
    and v.attribute is distinct from s.outcome
    and (s.attributes is null or v.attribute = any (s.attributes))
group by v.attribute, v.value
having count(distinct v.user_key) >= %s
order by count(distinct v.user_key) desc, v.attribute, v.value
limit %s
"""
_FORMER = """
select c.attribute, c.value, array[c.x, c.y, c.z]
from maps m
join map_categories c using (map_id)
where m.method = 'mca'
"""
_STORE = """
insert into map_categories (map_id, attribute, value, users, x, y, z) values (%s, %s, %s, %s, %s, %s, %s)
"""


@dataclass(frozen=True, slots=True)
class Categories:
    """A fit: principal coordinates of categories, shape (categories, axes), and the inertia of each axis.

    `explained` is the share of all inertia, `adjusted` that after Benzécri, both of shape (axes,).
    """

    keys: list[tuple[str, str]]
    users: list[int]
    coordinates: Matrix
    inertia: Row
    explained: Row
    adjusted: Row | None
    count: int
    sample: Matrix
    """Profiles of some users, whose distances are those of chi squared, one a row."""
    places: Matrix
    """Where they lie."""

    def store(self, connection: Connection, map_id: int) -> None:
        """Put them in place of those the map had."""
        connection.execute("delete from map_categories where map_id = %s", [map_id])
        connection.execute(
            "update maps set inertia = %s, explained = %s, explained_adjusted = %s where map_id = %s",
            [self.inertia.tolist(), self.explained.tolist(), _listed(self.adjusted), map_id],
        )
        rows = [
            (map_id, *key, users, *place.tolist(), *[None] * (3 - len(place)))
            for key, users, place in zip(self.keys, self.users, self.coordinates, strict=True)
        ]
        with connection.cursor() as cursor:
            cursor.executemany(_STORE, rows)


def fit_categories(connection: Connection, dimensions: int) -> Categories:
    """Analyse the table of users and their categories: correspondence analysis of the indicator matrix.

    A value that one user alone has is left out, and so are all but the 2,000 commonest; a user of whom an attribute is
    not known counts by the others. See Greenacre (2017), Correspondence Analysis in Practice, chapters 18 and 19.

    Raises PgaudienceError when there is too little that tells users apart.
    """
    from scipy import sparse  # pyright: ignore[reportMissingTypeStubs]

    rows = connection.execute(_CATEGORIES, [LEAST_USERS, MOST_CATEGORIES]).fetchall()
    keys = [(row[0], row[1]) for row in rows]
    owners = [np.array(row[3], dtype=np.int64) for row in rows]
    people, at = np.unique(np.concatenate(owners) if owners else np.empty(0, dtype=np.int64), return_inverse=True)
    columns = np.repeat(np.arange(len(keys)), [len(each) for each in owners])
    table: Any = cast(Any, sparse).csr_array((np.ones(len(at)), (at, columns)), shape=(len(people), len(keys)))
    of_users, of_categories = table.sum(axis=1), table.sum(axis=0)
    # Of each row of `scaled`, the squared distance to another is that of chi squared between their profiles.
    profiles = cast(Any, sparse).diags_array(1 / of_users) @ table
    scaled = profiles @ cast(Any, sparse).diags_array(np.sqrt(of_users.sum() / of_categories))
    weighted = cast(Any, sparse).diags_array(np.sqrt(of_users / max(of_users.sum(), 1))) @ scaled
    values, vectors = np.linalg.eigh((weighted.T @ weighted).toarray())
    values, vectors = values[::-1][1:], vectors[:, ::-1][:, 1:]
    if len(keys) - 1 < dimensions or values[dimensions - 1] < _TINY:
        raise PgaudienceError(
            f"the categories of users' attributes span fewer than {dimensions} dimensions",
            "Load attributes of users that are no numbers: pgaudience load --users FILE",
        )
    inertia = values[:dimensions]
    axes = _keep_signs(connection, keys, signed(vectors[:, :dimensions]))
    shares = np.sqrt(of_categories / of_categories.sum())
    sample = scaled[np.linspace(0, len(people) - 1, min(SAMPLE_SIZE, len(people)), dtype=np.intp)].toarray()
    return Categories(
        keys,
        [len(each) for each in owners],
        axes / shares[:, None] * np.sqrt(inertia),
        inertia,
        inertia / values.sum(),
        _adjusted(values, len({attribute for attribute, _ in keys}), dimensions),
        len(people),
        sample,
        sample @ axes,
    )


def _adjusted(values: Row, attributes: int, dimensions: int) -> Row | None:
    """Return the shares of Benzécri: of inertia beyond the mean one, which each category has by itself."""
    if attributes < 2:
        return None
    beyond = (attributes / (attributes - 1) * np.maximum(values - 1 / attributes, 0)) ** 2
    return beyond[:dimensions] / beyond.sum() if beyond.sum() > 0 else None


def _keep_signs(connection: Connection, keys: list[tuple[str, str]], axes: Matrix) -> Matrix:
    """Have each axis point where the one of its number did on the former map."""
    former = {(row[0], row[1]): row[2] for row in connection.execute(_FORMER).fetchall()}
    before = np.array([[place or 0.0 for place in former.get(key, (0.0,) * 3)] for key in keys])[:, : axes.shape[1]]
    return axes * np.where((axes * before).sum(axis=0) < 0, -1, 1)


def _listed(row: Row | None) -> list[float] | None:
    return None if row is None else row.tolist()
