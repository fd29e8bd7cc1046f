"""Read what a report of a space says: how much there is, how it is spread, what is rare in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from psycopg.sql import SQL

from pgaudience.database import Connection
from pgaudience.reporting.figures import NOBODYS, Axis, Drawing
from pgaudience.reporting.snapshot import ON_EARTH, rows, snapshot

Places = NDArray[np.float64]

LEAST_SHOWN = 10
"""A value of an attribute that fewer users have is not shown: it may be somebody's address."""

_LEAST_FOR_OUTLIERS = 20

_MOST_COLOURED = 4
"""By how many attributes at most people are coloured on the map of the earth."""

_MOST_VALUES = 7

_STATUS = """
select
    current_schema() as space, p.model, s.users, s.users_with_vector, s.entries, s.entries_embedded, s.entries_failed,
    s.coverage, s.refreshed_at, s.stale, (select count(*) from activity) as pairs
from status s
cross join space p
"""

_SPREAD = """
with bounds as (
    select b.low, lead(b.low) over (order by b.low) - 1 as high, b.place
    from unnest(array[1, 2, 3, 6, 11, 21, 51, 101, 201, 501, 1001]::bigint[]) with ordinality b (low, place)
),
numbers as (
    select 'entries' as what, v.entries as number from user_vectors v
    union all
    select 'users', e.users from entry_stats e
)
select n.what, b.low, b.high, count(*) as number
from numbers n
join bounds b on n.number between b.low and coalesce(b.high, n.number)
group by n.what, b.low, b.high
order by n.what, b.low
"""

_TOP_ENTRIES = """
select
    e.entry,
    s.users,
    s.users::double precision / nullif((select count(*) from user_vectors), 0) as share,
    s.frequency
from entry_stats s
join entries e using (entry_key)
order by s.users desc, s.frequency desc, e.entry
limit 20
"""

_ATTRIBUTES = """
with cells as materialized (
    select j.attribute, j.cell #>> '{}' as value
    from users u
    cross join lateral jsonb_each(u.attributes) j (attribute, cell)
    where jsonb_typeof(j.cell) in ('string', 'number', 'boolean')
),
counts as materialized (
    select c.attribute, c.value, count(*) as users
    from cells c
    group by c.attribute, c.value
)
select
    r.attribute,
    sum(r.users)::bigint as users,
    sum(r.users)::double precision / (select count(*) from users) as share,
    count(*) as number_of_values,
    coalesce(
        array_agg(r.value order by r.place) filter (where r.place <= 3 and r.users >= %(least)s), '{}'
    ) as commonest
from (
    select c.*, row_number() over (partition by c.attribute order by c.users desc, c.value collate "C") as place
    from counts c
) r
group by r.attribute
order by r.attribute collate "C"
"""

_OUTLIERS = """
select
    o.user_id, o.score, o.similarity, count(*) over () as found,
    array(
        select e.entry
        from activity a
        join entries e using (entry_key)
        where a.user_key = o.user_key
        order by a.frequency desc, e.entry
        limit 3
    ) as top_entries
from find_outliers(fraction => 0.01) o
where o.score > 3.5
order by o.rank
limit 10
"""

_AXES = """
select a.method, a.axis, a.explained, a.explained_of_centres, a.top_entries, a.bottom_entries, a.trustworthiness
from map_axes a
where (a.relation, a.method) = ('users', 'pca') and a.axis <= 2
order by a.axis
"""

_POINTS = "select m.x, m.y from user_map m where m.method = 'pca' order by m.user_key"

_PLACES = SQL("""
select
    c.longitude, c.latitude,
    array(
        select u.attributes ->> k.attribute
        from unnest(%(attributes)s::text[]) with ordinality k (attribute, place)
        order by k.place
    )
from users u
{}
order by u.user_key
""").format(ON_EARTH)


@dataclass(frozen=True, slots=True)
class Status:
    """How much there is."""

    space: str
    model: str
    users: int
    users_with_vector: int
    entries: int
    entries_embedded: int
    entries_failed: int
    coverage: float | None
    refreshed_at: datetime | None
    stale: bool
    pairs: int


@dataclass(frozen=True, slots=True)
class Band:
    """How many users have so many entries, or entries so many users."""

    what: str
    low: int
    high: int | None
    number: int


@dataclass(frozen=True, slots=True)
class Top:
    """One of the commonest entries."""

    entry: str
    users: int
    share: float | None
    frequency: float


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the users under one name."""

    attribute: str
    users: int
    share: float
    number_of_values: int
    commonest: list[str]


@dataclass(frozen=True, slots=True)
class Outlier:
    """Somebody far from everybody."""

    user_id: str
    score: float
    similarity: float
    found: int
    top_entries: list[str]


@dataclass(frozen=True, slots=True)
class Coloured:
    """Where people live, by one attribute: the drawing has the place of each value instead of segments."""

    attribute: str
    values: list[tuple[str, int]]
    """The commonest, each with how many of those who have a place have it."""

    drawing: Drawing


@dataclass(frozen=True, slots=True)
class SpaceFigures:
    """All that a report of a space says."""

    status: Status
    bands: list[Band]
    top_entries: list[Top]
    attributes: list[Known]
    outliers: list[Outlier]
    map: Drawing | None
    places: list[Coloured]


def read_space(connection: Connection) -> SpaceFigures:
    """Read all figures of the space, as of one moment."""
    with snapshot(connection):
        (status,) = rows(connection, Status, _STATUS)
        attributes = rows(connection, Known, _ATTRIBUTES, {"least": LEAST_SHOWN})
        return SpaceFigures(
            status,
            rows(connection, Band, _SPREAD),
            rows(connection, Top, _TOP_ENTRIES),
            attributes,
            rows(connection, Outlier, _OUTLIERS) if status.users_with_vector >= _LEAST_FOR_OUTLIERS else [],
            _map(connection),
            _places(connection, attributes),
        )


def _map(connection: Connection) -> Drawing | None:
    axes = rows(connection, Axis, _AXES)
    points = connection.execute(_POINTS).fetchall()
    if not axes or not points:
        return None
    return Drawing(np.full(len(points), NOBODYS, dtype=np.int64), np.array(points, dtype=np.float64), axes)


def _places(connection: Connection, attributes: Sequence[Known]) -> list[Coloured]:
    """Return where people live by the attributes of few values, or by none where there is no such attribute."""
    few = [each for each in attributes if 2 <= each.number_of_values <= _MOST_VALUES and each.share >= 0.2]
    names = [each.attribute for each in sorted(few, key=lambda each: -each.share)[:_MOST_COLOURED]]
    found = connection.execute(_PLACES, {"attributes": names}).fetchall()
    if not found:
        return []
    places = np.array([row[:2] for row in found], dtype=np.float64)
    coloured = [_coloured(name, [row[2][at] for row in found], places) for at, name in enumerate(names)]
    return [each for each in coloured if len(each.values) > 1] or [
        Coloured("", [], Drawing(np.full(len(found), NOBODYS, dtype=np.int64), places, []))
    ]


def _coloured(attribute: str, cells: Sequence[str | None], places: Places) -> Coloured:
    counts = Counter(cell for cell in cells if cell is not None)
    values = sorted(((value, users) for value, users in counts.items() if users >= LEAST_SHOWN), key=lambda v: -v[1])
    number = {value: at for at, (value, _) in enumerate(values)}
    mine = [NOBODYS if cell is None else number.get(cell, NOBODYS) for cell in cells]
    return Coloured(attribute, values, Drawing(np.array(mine, dtype=np.int64), places, []))
