"""What a schema holds, as rows to be compared: after a second migration, after an upgrade, after a restore."""

from __future__ import annotations

import psycopg

# Functions, relations, columns, types, constraints and triggers of a schema, with definition, rights and comment.
_OBJECTS = """
select 'function' as kind, p.oid, p.oid::regprocedure::text as name, 0 as storage,
    pg_get_functiondef(p.oid) as definition, p.proacl::text as rights, obj_description(p.oid, 'pg_proc') as comment
from pg_proc p
where p.pronamespace = to_regnamespace(quote_ident(%(schema)s))
union all
select 'relation ' || c.relkind::text, c.oid, c.relname, coalesce(pg_relation_filenode(c.oid), 0),
    case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) when c.relkind = 'i' then pg_get_indexdef(c.oid) end,
    c.relacl::text, obj_description(c.oid, 'pg_class')
from pg_class c
where c.relnamespace = to_regnamespace(quote_ident(%(schema)s))
union all
select 'column', c.oid, c.relname || '.' || a.attname, a.attnum,
    format_type(a.atttypid, a.atttypmod) || case when a.attnotnull then ' not null' else '' end,
    a.attacl::text, col_description(c.oid, a.attnum)
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = to_regnamespace(quote_ident(%(schema)s))
union all
select 'constraint', n.oid, n.conname, 0, pg_get_constraintdef(n.oid), null, null
from pg_constraint n
where n.connamespace = to_regnamespace(quote_ident(%(schema)s))
union all
select 'trigger', t.oid, t.tgrelid::regclass || '.' || t.tgname, 0, pg_get_triggerdef(t.oid), null, null
from pg_trigger t
join pg_class c on c.oid = t.tgrelid
where c.relnamespace = to_regnamespace(quote_ident(%(schema)s)) and not t.tgisinternal
"""


def objects(url: str, schema: str = "audience") -> list[tuple]:
    """Every object with its oid and its file on disk: equal lists mean that nothing was made anew."""
    with psycopg.connect(url) as connection:
        return connection.execute(f"{_OBJECTS} order by kind, name", {"schema": schema}).fetchall()


def definitions(url: str, schema: str = "audience") -> list[tuple]:
    """Every object without oid and file: equal lists mean the same shape, however it came about."""
    query = f"select kind, name, definition, rights, comment from ({_OBJECTS}) o order by kind, name"
    with psycopg.connect(url) as connection:
        return connection.execute(query, {"schema": schema}).fetchall()
