"""Give two spaces over the same people each other's models: tables, copies and indexes change their schemas, unread."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, LiteralString

from psycopg import sql

from pgaudience.database import Connection
from pgaudience.errors import PgaudienceError
from pgaudience.installing.bundle import SqlFile

MODEL = (
    "space", "changes", "changed_users", "changed_vectors", "changed_entries", "late_users", "late_postings",
    "reference_vectors", "reference_policies",
    "entry_vectors", "entry_failures", "given_user_vectors", "attribute_axes",
    "queries", "tokens", "token_layers", "training_texts",
    "encoder", "encoder_characters", "encoder_tokens", "encoder_positions", "encoder_norms", "encoder_weights",
    "encoder_tests",
    "segmentations", "segmentation_runs", "run_segments", "run_tree", "run_entries", "run_attributes", "run_drivers",
    "segment_assignments", "segment_names", "segment_descriptions", "segment_lineage", "segment_publications",
    "maps", "map_vectors", "map_categories", "user_places", "entry_places",
)  # fmt: skip
"""The tables that go with a model."""

PLACE = (
    "users", "entries", "activity", "sessions", "attribute_kinds", "entry_descriptions",
    "loads", "activity_input", "sources", "source_activity", "source_entries", "source_rejects", "forgotten_users",
    "audiences", "audience_members", "audience_changes", "audience_history", "audience_cursors", "audience_judgements",
    "segment_changes", "runs", "workers", "installed_objects", "alembic_version",
)  # fmt: skip
"""Those that stay: the people, how they come in, and what others go by: audiences, and the changes they read."""


@dataclass(frozen=True, slots=True)
class _Relation:
    oid: int
    kind: str
    name: str

    @property
    def aside(self) -> str:
        """What it is called while another one of its name comes in."""
        return f"aside {self.oid}"


# What a space says of its place, not of its model.
_READ_FACTS = "select base, salt, bundle_digest from {}"
_WRITE_FACTS = "update {} set base = %s, salt = %s, bundle_digest = %s"

# Tables in place of copies are among the files that stay.
_COPIES = """
select c.relname
from installed_objects i
join pg_class c on c.oid = to_regclass(i.identity)
where i.file = any (%s) and i.kind in ('view', 'materialized view', 'table')
"""

_RELATIONS = """
select c.oid, c.relkind, c.relname
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = %s and c.relkind in ('r', 'v', 'm') and c.relname = any (%s)
order by c.oid
"""

# Indexes, and sequences of identity columns: they follow their tables, so their names must be free there.
_FOLLOWERS = """
select i.indexrelid, 'i'::"char", c.relname
from pg_index i
join pg_class c on c.oid = i.indexrelid
where i.indrelid = any (%(tables)s)
union all
select d.objid, 'S', c.relname
from pg_depend d
join pg_class c on c.oid = d.objid and c.relkind = 'S'
where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = any (%(tables)s)
"""

_STRANGERS = """
select distinct case
    when d.classid = 'pg_proc'::regclass then pg_describe_object(d.classid, d.objid, 0)
    else pg_describe_object('pg_class'::regclass, coalesce(r.ev_class, f.conrelid), 0)
end
from pg_depend d
left join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
left join pg_constraint f on d.classid = 'pg_constraint'::regclass and f.oid = d.objid
where d.refclassid = 'pg_class'::regclass
    and d.refobjid = any (%(relations)s)
    and d.classid in ('pg_rewrite'::regclass, 'pg_proc'::regclass, 'pg_constraint'::regclass)
    and not coalesce(r.ev_class, f.conrelid, 0) = any (%(relations)s)
"""

# Whoever was given a right on a relation has it on the one that comes in its place, and on no other.
_RIGHTS = """
select
    format('grant %%s to %%s%%s', r.what, r.grantee, case when r.is_grantable then ' with grant option' end),
    format('revoke %%s from %%s', r.what, r.grantee)
from (
    select
        format(
            '%%s%%s on %%I.%%I',
            g.privilege_type,
            case when l.attname is not null then format(' (%%I)', l.attname) end,
            n.nspname,
            c.relname
        ) as what,
        case when g.grantee = 0 then 'public' else g.grantee::regrole::text end as grantee,
        g.is_grantable
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    cross join lateral (
        select null as attname, c.relacl as rights
        union all
        select a.attname, a.attacl
        from pg_attribute a
        where a.attrelid = c.oid and not a.attisdropped
    ) l
    cross join lateral aclexplode(l.rights) g
    where n.nspname = any (%s) and c.relname = any (%s) and c.relkind in ('r', 'v', 'm') and g.grantee <> c.relowner
) r
"""

_KIND: dict[str, LiteralString] = {
    "r": "table",
    "v": "view",
    "m": "materialized view",
    "i": "index",
    "S": "sequence",
    "t": "type",
}
_TYPE = "user_vector"
_VIEW = re.compile(r"^create view\b", re.MULTILINE)
_COPY = re.compile(r"^create materialized view\b", re.MULTILINE)


def exchange(connection: Connection, one: str, other: str, kept: Collection[str]) -> None:
    """Exchange the models of two spaces: tables, and the copies and live views of the files `kept`, all else dropped.

    Only the catalog is written: rows, indexes and materialized views stay as they are on disk. Live views then are to
    be defined anew, by `redefine`. Rights and the facts of the place stay where they are.

    Raises PgaudienceError, naming it, when an object of somebody else stands on what would move.
    """
    names = [*MODEL, *(row[0] for row in connection.execute(_COPIES, [list(kept)]).fetchall())]
    mine, theirs = _relations(connection, one, names), _relations(connection, other, names)
    _check_strangers(connection, [relation.oid for relation in (*mine, *theirs)])
    facts = {schema: _facts(connection, schema) for schema in (one, other)}
    grants = [row[0] for row in connection.execute(_RIGHTS, [[one, other], names]).fetchall()]

    aside = [*mine, *_followers(connection, mine)]
    for relation in aside:
        _alter(connection, relation.kind, one, relation.name, rename=relation.aside)
    _alter(connection, "t", one, _TYPE, rename=f"{_TYPE} aside")
    for relation in mine:
        _alter(connection, relation.kind, one, relation.aside, move=other)
    _alter(connection, "t", one, f"{_TYPE} aside", move=other)
    for relation in theirs:
        _alter(connection, relation.kind, other, relation.name, move=one)
    _alter(connection, "t", other, _TYPE, move=one)
    for relation in aside:
        _alter(connection, relation.kind, other, relation.aside, rename=relation.name)
    _alter(connection, "t", other, f"{_TYPE} aside", rename=_TYPE)

    for schema, found in facts.items():
        connection.execute(sql.SQL(_WRITE_FACTS).format(sql.Identifier(schema, "space")), found)
    revokes = [row[1] for row in connection.execute(_RIGHTS, [[one, other], names]).fetchall()]
    for statement in (*revokes, *grants):
        connection.execute(statement.encode())


def redefine(connection: Connection, files: Iterable[SqlFile]) -> None:
    """Have the live views of kept files read what is in the schema by now, of the same names as before."""
    for file in files:
        if _VIEW.search(file.text) and not _COPY.search(file.text):
            connection.execute(_VIEW.sub("create or replace view", file.text).encode())


def _relations(connection: Connection, schema: str, names: list[str]) -> list[_Relation]:
    return [_Relation(*row) for row in connection.execute(_RELATIONS, [schema, names]).fetchall()]


def _followers(connection: Connection, relations: list[_Relation]) -> list[_Relation]:
    tables = [relation.oid for relation in relations]
    return [_Relation(*row) for row in connection.execute(_FOLLOWERS, {"tables": tables}).fetchall()]


def _facts(connection: Connection, schema: str) -> tuple[Any, ...]:
    found = connection.execute(sql.SQL(_READ_FACTS).format(sql.Identifier(schema, "space"))).fetchone()
    return found or ()


def _check_strangers(connection: Connection, relations: list[int]) -> None:
    strangers = [row[0] for row in connection.execute(_STRANGERS, {"relations": relations}).fetchall()]
    if strangers:
        raise PgaudienceError(
            f"{' and '.join(strangers)} would go along with the model that is to be exchanged",
            "It is not part of pgaudience. Drop it, swap, and create it again.",
        )


def _alter(
    connection: Connection, kind: str, schema: str, name: str, *, rename: str | None = None, move: str | None = None
) -> None:
    change = sql.SQL("rename to {}" if rename else "set schema {}").format(sql.Identifier(rename or move or ""))
    statement = sql.SQL("alter {} {} {}").format(sql.SQL(_KIND[kind]), sql.Identifier(schema, name), change)
    connection.execute(statement)
