"""From the staging tables into users, entries and activity, by set-based SQL."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, LiteralString

from psycopg.sql import SQL

from pgaudience.database import Connection
from pgaudience.loading.attributes import settle_kinds
from pgaudience.loading.entries import MergedEntries
from pgaudience.loading.journal import Unfinished
from pgaudience.loading.pairs import copy_pairs
from pgaudience.loading.sharded import merge_shards
from pgaudience.loading.staging import Staging

Mode = Literal["replace", "add"]
Rule = Literal["last", "first", "most", "null"]
"""Which of several values of an attribute of one user counts; null: none of them."""

# A block of rows is added up before it is sent.
_PAIRS_OF_ONE_BLOCK = "create temporary view pairs as select * from staged_pairs"

_PAIRS_OF_BLOCKS = """
create temporary view pairs as
select
    s.user_key,
    s.entry_key,
    sum(s.frequency) as frequency,
    min(s.first_at) as first_at,
    max(s.last_at) as last_at
from staged_pairs s
group by s.user_key, s.entry_key
"""

# To replace what was loaded of users leaves what sources in the database have said of them: see sync().
_PAIRS_WITH_SOURCES = """
create temporary view pairs as
select
    s.user_key,
    s.entry_key,
    sum(s.frequency) as frequency,
    min(s.first_at) as first_at,
    max(s.last_at) as last_at
from (
    select p.user_key, p.entry_key, p.frequency, p.first_at, p.last_at
    from staged_pairs p
    union all
    select a.user_key, a.entry_key, a.frequency, a.first_at, a.last_at
    from source_activity a
    where a.user_key in (select p.user_key from staged_pairs p)
) s
group by s.user_key, s.entry_key
"""

_HAS_SOURCES = "select exists (select from source_activity)"

_INSERT_ALL = """
insert into activity (user_key, entry_key, frequency, first_at, last_at)
select * from pairs
order by user_key, entry_key
"""

_COMPARE_TO_REPLACE = """
create temporary table differences on commit drop as
with held as (
    select a.*
    from activity a
    where a.user_key in (select s.user_key from staged_pairs s)
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
from pairs p
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

_ATTRIBUTE_CELLS = """
create temporary table attribute_cells on commit drop as
select s.position, u.user_key, c.key, c.value
from staged_attributes s
join staged_users u on u.number = s.user_number
cross join lateral jsonb_each_text(s.attributes) c
"""

_ATTRIBUTE_VALUES = """
create temporary table settled_values on commit drop as
select
    c.position,
    c.user_key,
    c.key,
    case when s.kind = 'number' then to_jsonb(c.value::numeric) else to_jsonb(c.value) end as value
from attribute_cells c
left join attribute_settlement s using (key)
"""

_CONFLICTS = """
select v.key, count(*)
from (
    select v.key
    from settled_values v
    group by v.user_key, v.key
    having count(distinct v.value) > 1
) v
group by v.key
order by v.key
"""

# By rule; the last one counts by itself.
_PICK: dict[str, LiteralString] = {
    "first": "(array_agg(v.value order by v.position) filter (where v.value is not null))[1]",
    "most": "mode() within group (order by v.value)",
    "null": "null::jsonb",
}

_RESOLVE = """
update settled_values s
set value = r.value
from (
    select v.user_key, v.key, {pick} as value
    from settled_values v
    group by v.user_key, v.key
    having count(distinct v.value) > 1
) r
where (r.user_key, r.key) = (s.user_key, s.key)
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
        from settled_values v
        group by v.user_key
    ) v
    join users u using (user_key)
) n
where n.user_key = u.user_key and n.attributes <> u.attributes
"""

_ANALYZE = "analyze users, entries, activity"

_RECORD = "select record_load()"
_CLEAR = "delete from staged_activity"


@dataclass(frozen=True, slots=True)
class Merged:
    """What a load changed, in rows of each table.

    `conflicts` has, by attribute, the users with several values, and `texts` the users whose number became a text.
    `forgotten` are the good rows of people who were forgotten, which were left out.
    `sessions` are new or have other entries now. `load_keys` are the rows of the journal that wait for `finish`, and
    `unfinished` the sources that were not read, as their rows are in.
    """

    new_users: int
    new_entries: int
    pairs_added: int
    pairs_changed: int
    pairs_removed: int
    attributes_changed: int
    conflicts: dict[str, int]
    texts: dict[str, int] = field(default_factory=dict[str, int])
    entries: MergedEntries = field(default_factory=MergedEntries)
    sessions: int = 0
    forgotten: int = 0
    load_keys: list[int] = field(default_factory=list[int], compare=False)
    unfinished: list[Unfinished] = field(default_factory=list[Unfinished])


def merge(connection: Connection, staging: Staging, mode: Mode, conflicts: Rule = "last") -> Merged:
    """Bring what is staged into the space; in mode `replace` it is the truth for the users it holds."""
    removed, changed, added = _merge_activity(connection, staging, mode)
    sessions = staging.sessions.merge(mode, only_new_users=staging.has_only_new_users)
    attributes, found, texts = (0, {}, {})
    if staging.has_attributes:
        attributes, found, texts = _merge_attributes(connection, mode, conflicts)
    new_users, new_entries = staging.user_keys.inserted, staging.entry_keys.inserted
    if new_users or new_entries or removed or changed or added:
        connection.execute(_ANALYZE)
        if staging.is_distributed:
            connection.execute(_RECORD)
    if staging.blocks_sent and staging.is_distributed:
        connection.execute(_CLEAR)
    return Merged(new_users, new_entries, added, changed, removed, attributes, found, texts, sessions=sessions)


def _merge_attributes(connection: Connection, mode: Mode, rule: Rule) -> tuple[int, dict[str, int], dict[str, int]]:
    connection.execute(_ATTRIBUTE_CELLS)
    texts = settle_kinds(connection, "users", "attribute_cells")
    connection.execute(_ATTRIBUTE_VALUES)
    conflicts: dict[str, int] = dict(connection.execute(_CONFLICTS).fetchall())
    if conflicts and rule != "last":
        connection.execute(SQL(_RESOLVE).format(pick=SQL(_PICK[rule])))
    return connection.execute(_SET_ATTRIBUTES, {"mode": mode}).rowcount, conflicts, texts


def _merge_activity(connection: Connection, staging: Staging, mode: Mode) -> tuple[int, int, int]:
    if staging.has_only_new_users and staging.block is not None and not staging.blocks_sent:
        copy_pairs(connection, "activity", staging.block)
        return 0, 0, len(staging.block.users)
    staging.send_block()
    if not staging.blocks_sent:
        return 0, 0, 0
    if staging.is_distributed:
        return merge_shards(connection, mode, only_new_users=staging.has_only_new_users)
    if mode == "replace" and connection.execute(_HAS_SOURCES).fetchone() == (True,):
        connection.execute(_PAIRS_WITH_SOURCES)
    else:
        connection.execute(_PAIRS_OF_BLOCKS if staging.blocks_sent > 1 else _PAIRS_OF_ONE_BLOCK)
    connection.execute("analyze staged_pairs")
    if staging.has_only_new_users:
        return 0, 0, connection.execute(_INSERT_ALL).rowcount
    return _merge_differences(connection, mode)


def _merge_differences(connection: Connection, mode: Mode) -> tuple[int, int, int]:
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
