"""Read what a report of a space says: how much there is, how it is spread, what is rare in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pgaudience.database import Connection
from pgaudience.reporting.snapshot import rows, snapshot

LEAST_SHOWN = 10
"""A value of an attribute that fewer users have is not shown: it may be somebody's address."""

_LEAST_FOR_OUTLIERS = 20

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
class SpaceFigures:
    """All that a report of a space says."""

    status: Status
    bands: list[Band]
    top_entries: list[Top]
    attributes: list[Known]
    outliers: list[Outlier]


def read_space(connection: Connection) -> SpaceFigures:
    """Read all figures of the space, as of one moment."""
    with snapshot(connection):
        (status,) = rows(connection, Status, _STATUS)
        return SpaceFigures(
            status,
            rows(connection, Band, _SPREAD),
            rows(connection, Top, _TOP_ENTRIES),
            rows(connection, Known, _ATTRIBUTES, {"least": LEAST_SHOWN}),
            rows(connection, Outlier, _OUTLIERS) if status.users_with_vector >= _LEAST_FOR_OUTLIERS else [],
        )
