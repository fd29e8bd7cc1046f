"""What kind of values each attribute has, numbers or texts: one for the whole space, whatever a load brings."""

from __future__ import annotations

from typing import Literal

from psycopg import sql

from pgaudience.database import Connection

# An attribute is a number where every value ever loaded is one in its one form, and so was every value that was set by
# hand before its first load. `held`: attributes of no kind yet that somebody has; found in one pass, if any are new.
_KINDS = """
create temporary table attribute_settlement on commit drop as
with loaded as (
    select c.key, k.kind, bool_and(is_number(c.value)) as are_numbers
    from {cells} c
    left join attribute_kinds k on (k.relation, k.attribute) = ({name}, c.key)
    where c.value is not null
    group by c.key, k.kind
),
held as (
    select
        a.key,
        not bool_or(jsonb_path_exists(a.value, '$[*] ? (@.type() != "number" && @.type() != "null")')) as are_numbers
    from {relation} r
    cross join lateral jsonb_each(r.attributes) a
    where (select count(*) from loaded l where l.kind is null) > 0
        and r.attributes <> '{{}}'
        and a.key in (select l.key from loaded l where l.kind is null)
    group by a.key
)
select
    l.key,
    l.kind as former_kind,
    case
        when l.are_numbers and coalesce(l.kind, 'number') = 'number' and coalesce(h.are_numbers, true) then 'number'
        else 'text'
    end as kind,
    l.kind = 'number' or h.key is not null as has_values
from loaded l
left join held h using (key)
"""

_RECORD = """
insert into attribute_kinds (relation, attribute, kind)
select {name}, s.key, s.kind
from attribute_settlement s
where s.kind is distinct from s.former_kind
on conflict (relation, attribute) do update set kind = excluded.kind
"""

_TO_REWRITE = """
select exists (
    select
    from attribute_settlement s
    where s.kind = 'text' and s.former_kind is distinct from 'text' and s.has_values
)
"""

_REWRITE = """
with changed as (
    select r.{row_key}, a.key, stored_value(a.value, 'text') as value
    from {relation} r
    cross join lateral jsonb_each(r.attributes) a
    join attribute_settlement s using (key)
    where s.kind = 'text'
        and s.former_kind is distinct from 'text'
        and stored_value(a.value, 'text') <> a.value
),
rewritten as (
    update {relation} r
    set attributes = r.attributes || n.attributes
    from (
        select c.{row_key}, jsonb_object_agg(c.key, c.value) as attributes
        from changed c
        group by c.{row_key}
    ) n
    where n.{row_key} = r.{row_key}
)
select c.key, count(*)
from changed c
group by c.key
order by c.key
"""


def settle_kinds(connection: Connection, relation: Literal["users", "entries"], cells: str) -> dict[str, int]:
    """Decide the kinds of the attributes in a table of (key, value text), and record them.

    They are left in the temporary table attribute_settlement (key, kind). Where an attribute of numbers becomes one of
    texts, its values in the whole space are rewritten; returned are these attributes, with how many values there were.
    """
    names = {
        "cells": sql.Identifier(cells),
        "relation": sql.Identifier(relation),
        "name": sql.Literal(relation),
        "row_key": sql.Identifier("user_key" if relation == "users" else "entry_key"),
    }
    connection.execute("drop table if exists attribute_settlement")
    connection.execute(sql.SQL(_KINDS).format(**names))
    connection.execute(sql.SQL(_RECORD).format(**names))
    (has_to_rewrite,) = connection.execute(_TO_REWRITE).fetchone() or (False,)
    return dict(connection.execute(sql.SQL(_REWRITE).format(**names)).fetchall()) if has_to_rewrite else {}
