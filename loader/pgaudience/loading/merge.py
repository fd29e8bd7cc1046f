"""From the staging tables into users, entries and activity, by set-based SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import psycopg

Connection = psycopg.Connection[tuple[Any, ...]]
Mode = Literal["replace", "add"]

# One load of a space at a time gets here: no deadlocks, and the keys read below stay true until the end.
_LOCK = "select pg_advisory_xact_lock(hashtextextended('pgaudience load ' || current_schema(), 0))"

_NUMBER_USERS = """
create temporary table user_numbers on commit drop as
select s.number, normalize_text(s.user_id) as user_id
from staged_users s
"""

_INSERT_USERS = """
insert into users (user_id)
select distinct n.user_id
from user_numbers n
where not exists (select from users u where u.user_id = n.user_id)
order by n.user_id
"""

_USER_KEYS = """
create temporary table staged_user_keys on commit drop as
select n.number, u.user_key
from user_numbers n
join users u using (user_id)
"""

_NUMBER_ENTRIES = """
create temporary table entry_numbers on commit drop as
select n.number, n.entry, md5(n.entry)::uuid as hash
from (select s.number, normalize_text(s.entry) as entry from staged_entries s) n
"""

_INSERT_ENTRIES = """
insert into entries (entry)
select distinct on (n.hash) n.entry
from entry_numbers n
where not exists (select from entries e where md5(e.entry)::uuid = n.hash)
order by n.hash
"""

_ENTRY_KEYS = """
create temporary table staged_entry_keys on commit drop as
select n.number, e.entry_key
from entry_numbers n
join entries e on md5(e.entry)::uuid = n.hash
"""

_ANALYZE_STAGING = "analyze staged_activity, staged_user_keys, staged_entry_keys"

_PAIRS = """
create temporary view staged_pairs as
select
    u.user_key,
    e.entry_key,
    sum(s.frequency) as frequency,
    min(nullif(s.occurred_at, '-infinity')) as first_at,
    max(nullif(s.occurred_at, '-infinity')) as last_at
from staged_activity s
join staged_user_keys u on u.number = s.user_number
join staged_entry_keys e on e.number = s.entry_number
group by u.user_key, e.entry_key
"""

_ALL_NEW = """
select not exists (
    select
    from staged_user_keys s
    where exists (select from activity a where a.user_key = s.user_key)
)
"""

_INSERT_ALL = """
insert into activity (user_key, entry_key, frequency, first_at, last_at)
select * from staged_pairs
order by user_key, entry_key
"""

_COMPARE_TO_REPLACE = """
create temporary table differences on commit drop as
with pairs as materialized (
    select * from staged_pairs
),
held as (
    select a.*
    from activity a
    where a.user_key in (select p.user_key from pairs p)
)
select
    user_key,
    entry_key,
    p.frequency,
    p.first_at,
    p.last_at,
    h.frequency is null as is_new,
    p.frequency is null as is_gone
from pairs p
full join held h using (user_key, entry_key)
where (p.frequency, p.first_at, p.last_at) is distinct from (h.frequency, h.first_at, h.last_at)
order by user_key, entry_key
"""

_COMPARE_TO_ADD = """
create temporary table differences on commit drop as
select
    p.user_key,
    p.entry_key,
    coalesce(a.frequency, 0) + p.frequency as frequency,
    least(a.first_at, p.first_at) as first_at,
    greatest(a.last_at, p.last_at) as last_at,
    a.frequency is null as is_new,
    false as is_gone
from staged_pairs p
left join activity a using (user_key, entry_key)
order by p.user_key, p.entry_key
"""

_COUNT_DIFFERENCES = """
select
    count(*) filter (where is_gone),
    count(*) filter (where not is_gone and not is_new),
    count(*) filter (where is_new)
from differences
"""

_DELETE_GONE = """
delete from activity a
using differences d
where d.is_gone and (d.user_key, d.entry_key) = (a.user_key, a.entry_key)
"""

_UPDATE_CHANGED = """
update activity a
set frequency = d.frequency, first_at = d.first_at, last_at = d.last_at
from differences d
where not d.is_new and not d.is_gone and (d.user_key, d.entry_key) = (a.user_key, a.entry_key)
"""

_INSERT_NEW = """
insert into activity (user_key, entry_key, frequency, first_at, last_at)
select d.user_key, d.entry_key, d.frequency, d.first_at, d.last_at
from differences d
where d.is_new
order by d.user_key, d.entry_key
"""

# An attribute is a number if all its values in the load are: '007' keeps a column of codes a column of texts.
_ATTRIBUTE_VALUES = """
create temporary table attribute_values on commit drop as
with cells as (
    select s.position, u.user_key, c.key, c.value
    from staged_attributes s
    join staged_user_keys u on u.number = s.user_number
    cross join lateral jsonb_each_text(s.attributes) c
),
kinds as (
    select c.key, bool_and(c.value ~ '^-?(0|[1-9][0-9]*)([.][0-9]+)?$') as is_number
    from cells c
    group by c.key
)
select
    c.position,
    c.user_key,
    c.key,
    case
        when c.value is null then null
        when k.is_number then to_jsonb(c.value::numeric)
        else to_jsonb(c.value)
    end as value
from cells c
join kinds k using (key)
"""

_CONFLICTS = """
select v.key, count(*)
from (
    select v.key
    from attribute_values v
    group by v.user_key, v.key
    having count(distinct v.value) > 1
) v
group by v.key
order by v.key
"""

_SET_ATTRIBUTES = """
update users u
set attributes = n.attributes
from (
    select
        u.user_key,
        case %(mode)s when 'replace' then u.attributes - v.names else u.attributes end || v.attributes as attributes
    from (
        select
            v.user_key,
            array_agg(distinct v.key) as names,
            coalesce(
                jsonb_object_agg(v.key, v.value order by v.position) filter (where v.value is not null),
                '{}'
            ) as attributes
        from attribute_values v
        group by v.user_key
    ) v
    join users u using (user_key)
) n
where n.user_key = u.user_key and n.attributes <> u.attributes
"""

_ANALYZE = "analyze users, entries, activity"


@dataclass(frozen=True, slots=True)
class Merged:
    """What a load changed, in rows of each table; `conflicts` has, by attribute, the users with several values."""

    new_users: int
    new_entries: int
    pairs_added: int
    pairs_changed: int
    pairs_removed: int
    attributes_changed: int
    conflicts: dict[str, int]


def merge(connection: Connection, mode: Mode) -> Merged:
    """Bring what is staged into the space; in mode `replace` it is the truth for the users it holds."""
    connection.execute(_LOCK)
    connection.execute(_NUMBER_USERS)
    new_users = connection.execute(_INSERT_USERS).rowcount
    connection.execute(_USER_KEYS)
    connection.execute(_NUMBER_ENTRIES)
    new_entries = connection.execute(_INSERT_ENTRIES).rowcount
    connection.execute(_ENTRY_KEYS)
    connection.execute(_ANALYZE_STAGING)
    removed, changed, added = _merge_activity(connection, mode)
    connection.execute(_ATTRIBUTE_VALUES)
    conflicts: dict[str, int] = dict(connection.execute(_CONFLICTS).fetchall())
    attributes = connection.execute(_SET_ATTRIBUTES, {"mode": mode}).rowcount
    if new_users or new_entries or removed or changed or added:
        connection.execute(_ANALYZE)
    return Merged(new_users, new_entries, added, changed, removed, attributes, conflicts)


def _merge_activity(connection: Connection, mode: Mode) -> tuple[int, int, int]:
    connection.execute(_PAIRS)
    if connection.execute(_ALL_NEW).fetchone() == (True,):
        return 0, 0, connection.execute(_INSERT_ALL).rowcount
    connection.execute(_COMPARE_TO_REPLACE if mode == "replace" else _COMPARE_TO_ADD)
    connection.execute("analyze differences")
    removed, changed, added = connection.execute(_COUNT_DIFFERENCES).fetchone() or (0, 0, 0)
    if removed:
        connection.execute(_DELETE_GONE)
    if changed:
        connection.execute(_UPDATE_CHANGED)
    if added:
        connection.execute(_INSERT_NEW)
    return removed, changed, added
