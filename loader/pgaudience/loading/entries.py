"""The attributes of entries, from a file of them into the space."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Literal

from pgaudience.database import Connection
from pgaudience.loading.attributes import settle_kinds
from pgaudience.loading.keys import LOCK
from pgaudience.reading import Described

_CREATE = """
create temporary table staged_entries (
    position bigint generated always as identity,
    text text,
    attributes jsonb
) on commit drop
"""

_FIND = """
create temporary table described_entries on commit drop as
select s.position, n.hash, e.entry_key, s.attributes
from staged_entries s
cross join lateral (select text_hash(normalize_text(s.text)) as hash offset 0) n
left join entries e on text_hash(e.entry) = n.hash
"""

_COUNT_UNKNOWN = "select count(distinct d.hash) from described_entries d where d.entry_key is null"

_ATTRIBUTE_CELLS = """
create temporary table entry_cells on commit drop as
select
    row_number() over (order by d.position, v.place) as position,
    d.entry_key,
    c.key,
    v.value,
    jsonb_typeof(c.value) = 'array' as is_list
from described_entries d
cross join jsonb_each(d.attributes) c
left join lateral jsonb_array_elements_text(
    case jsonb_typeof(c.value) when 'array' then c.value else jsonb_build_array(c.value) end
) with ordinality v (value, place) on true
"""

# What differs from users: an entry with several values of an attribute keeps them all, as a list in their order.
_ATTRIBUTE_VALUES = """
create temporary table entry_values on commit drop as
with distinct_values as (
    select
        c.entry_key,
        c.key,
        case when s.kind = 'number' then to_jsonb(c.value::numeric) else to_jsonb(c.value) end as value,
        min(c.position) as position,
        bool_or(c.is_list) as is_list
    from entry_cells c
    left join attribute_settlement s using (key)
    where c.entry_key is not null
    group by c.entry_key, c.key, 3
)
select
    v.entry_key,
    v.key,
    count(v.value) as count,
    case
        when count(v.value) > 1 or (bool_or(v.is_list) and count(v.value) > 0)
        then jsonb_agg(v.value order by v.position) filter (where v.value is not null)
        else (array_agg(v.value) filter (where v.value is not null))[1]
    end as value
from distinct_values v
group by v.entry_key, v.key
"""

_COUNT_LISTS = """
select v.key, count(*)
from entry_values v
where v.count > 1
group by v.key
order by v.key
"""

_SET_ATTRIBUTES = """
update entries e
set attributes = n.attributes
from (
    select
        e.entry_key,
        case %(mode)s when 'replace' then e.attributes - v.names else e.attributes end || v.attributes as attributes
    from (
        select
            v.entry_key,
            array_agg(v.key) as names,
            coalesce(jsonb_object_agg(v.key, v.value) filter (where v.value is not null), '{}') as attributes
        from entry_values v
        group by v.entry_key
    ) v
    join entries e using (entry_key)
) n
where n.entry_key = e.entry_key and n.attributes <> e.attributes
"""


@dataclass(frozen=True, slots=True)
class MergedEntries:
    """What a file of entries changed.

    `changed` entries have other attributes now; `unknown` texts are of no entry, and were left out; `lists` has, by
    attribute, the entries with several values, and `texts` those whose number became a text.
    """

    changed: int = 0
    unknown: int = 0
    lists: dict[str, int] = field(default_factory=dict[str, int])
    texts: dict[str, int] = field(default_factory=dict[str, int])


class EntryStaging:
    """The rows of files of entries on their way to the server; the staging tables go with the transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        connection.execute(_CREATE)

    def add(self, chunk: Described) -> None:
        """Take entries with their attributes."""
        with self._connection.cursor().copy("copy staged_entries (text, attributes) from stdin") as copy:
            for text, attributes in zip(chunk.texts, chunk.attributes, strict=True):
                copy.write_row((text, json.dumps(attributes)))

    def merge(self, mode: Literal["replace", "add"]) -> MergedEntries:
        """Give the entries of the space their attributes; others they have stay.

        In mode `replace` a blank takes an attribute away, in mode `add` it does not.
        """
        connection = self._connection
        connection.execute(LOCK)
        connection.execute("analyze staged_entries")
        connection.execute(_FIND)
        (unknown,) = connection.execute(_COUNT_UNKNOWN).fetchone() or (0,)
        connection.execute(_ATTRIBUTE_CELLS)
        texts = settle_kinds(connection, "entries", "entry_cells")
        connection.execute(_ATTRIBUTE_VALUES)
        lists: dict[str, int] = dict(connection.execute(_COUNT_LISTS).fetchall())
        changed = connection.execute(_SET_ATTRIBUTES, {"mode": mode}).rowcount
        return MergedEntries(changed, unknown, lists, texts)
