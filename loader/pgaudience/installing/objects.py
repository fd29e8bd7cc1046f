"""The objects that sql/ files make: which there are, which an upgrade may keep, how they go."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import psycopg
from psycopg import sql

from pgaudience.database import Connection, SpaceConnection, use_schema
from pgaudience.errors import PgaudienceError
from pgaudience.installing.bundle import SqlFile, read_bundle

# What is a copy of a live view: by the policy of the space one or the other.
_COPIES = ["materialized view", "table"]
_COPY = re.compile(r"^(create|comment on) materialized view\b", re.MULTILINE)
_FILLED = re.compile(r"^(select \* from \w+_live);$", re.MULTILINE)

_PRESENT = """
select p.tableoid, p.oid
from pg_proc p
where p.pronamespace in (select oid from pg_namespace where nspname = any (%(schemas)s))
union all
select c.tableoid, c.oid
from pg_class c
where c.relnamespace in (select oid from pg_namespace where nspname = any (%(schemas)s))
    and c.relkind in ('v', 'm', 'r')
union all
select t.tableoid, t.oid
from pg_trigger t
join pg_class c on c.oid = t.tgrelid
where c.relnamespace in (select oid from pg_namespace where nspname = any (%(schemas)s)) and not t.tgisinternal
"""

_IDENTITIES = """
select o.type, o.identity
from unnest(%s::oid[], %s::oid[]) as present (catalog, number)
cross join lateral pg_identify_object(present.catalog, present.number, 0) o
"""

# A trigger is dropped before the function that it calls.
_RECORD = """
insert into installed_objects (position, file, digest, kind, identity)
select
    (select coalesce(max(position), 0) from installed_objects)
        + row_number() over (order by made.catalog = 'pg_trigger'::regclass, made.number),
    %s, %s, o.type, o.identity
from unnest(%s::oid[], %s::oid[]) as made (catalog, number)
cross join lateral pg_identify_object(made.catalog, made.number, 0) o
"""

# Every materialized view, or table in place of one, with all that its definition stands on, down to the tables.
_FOUNDATIONS = """
with recursive foundations as (
    select i.identity as copy, 'pg_class'::regclass::oid as catalog, to_regclass(o.identity)::oid as object
    from installed_objects i
    cross join lateral (values (i.identity), (i.identity || '_live')) o (identity)
    where i.kind = any (%s)
    union
    select f.copy, d.refclassid, d.refobjid
    from foundations f
    left join pg_rewrite r on f.catalog = 'pg_class'::regclass and r.ev_class = f.object
    join pg_depend d
        on (d.classid = f.catalog and d.objid = f.object)
        or (d.classid = 'pg_rewrite'::regclass and d.objid = r.oid)
    where d.refclassid in ('pg_class'::regclass, 'pg_proc'::regclass)
)
select f.copy, i.file, i.digest
from foundations f
cross join lateral pg_identify_object(f.catalog, f.object, 0) o
join installed_objects i on (i.kind, i.identity) = (o.type, o.identity)
"""

# Files of functions alone, which stand neither on relations of the space nor on their types.
_FREE_FUNCTIONS = """
with recursive bound as (
    select 'pg_class'::regclass::oid as catalog, c.oid as object
    from pg_class c
    where c.relnamespace = quote_ident(current_schema())::regnamespace and c.relkind in ('r', 'v', 'm')
    union
    select 'pg_type'::regclass, t.oid
    from pg_type t
    where t.typnamespace = quote_ident(current_schema())::regnamespace
    union
    select d.classid, d.objid
    from bound b
    join pg_depend d on d.refclassid = b.catalog and d.refobjid = b.object
    where d.classid = 'pg_proc'::regclass
)
select i.file
from installed_objects i
left join (
    select o.type, o.identity
    from bound b
    cross join lateral pg_identify_object(b.catalog, b.object, 0) o
    where b.catalog = 'pg_proc'::regclass
) b on b.type = i.kind and b.identity = i.identity
group by i.file
having bool_and(i.kind in ('function', 'procedure', 'aggregate') and b.identity is null)
"""

# To say again with whose rights a function runs changes nothing, and has every session compile it anew.
_COMPILE_ANEW = """
select string_agg(
    format(
        'alter routine %s security %s', p.oid::regprocedure, case when p.prosecdef then 'definer' else 'invoker' end
    ),
    '; '
)
from pg_proc p
join pg_language l on l.oid = p.prolang
where p.pronamespace = quote_ident(current_schema())::regnamespace
    and l.lanname = 'plpgsql'
    and pg_has_role(p.proowner, 'usage')
"""

_INDEXES_OF_COPIES = """
select i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
from installed_objects o
join pg_index i on i.indrelid = to_regclass(o.identity)
where o.kind = any (%s) and not o.file = any (%s)
"""


@dataclass(frozen=True, slots=True)
class Index:
    """An index of a copy; somebody may have made it beside those of the bundle."""

    name: str
    definition: str


def install_space(connection: SpaceConnection, schema: str, files: list[SqlFile], bi_files: Iterable[SqlFile]) -> None:
    """Install the files of a space and those of its schema for BI tools, if there is one; the grants come last."""
    *definitions, grants = files
    install(connection, definitions, schema)
    if is_distributed(connection):
        install(connection, read_bundle("distributed/install.sql"), schema)
    if bi_files:
        use_schema(connection, f"{schema}_bi", schema)
        install(connection, bi_files, f"{schema}_bi")
        use_schema(connection, schema)
    install(connection, [grants], schema)


def install(connection: Connection, files: Iterable[SqlFile], schema: str) -> None:
    """Run files, one after the other, and record the objects that each made in the schema.

    Where the space has tables in place of materialized views, these are made by the same files; in a distributed space
    they are empty until the next refresh, since what they are made of is on other machines.
    """
    copies = "table" if _has_tables(connection) else "materialized view"
    filled = r"\1 with no data;" if is_distributed(connection) else r"\1;"
    before = _present(connection, [schema])
    for file in files:
        connection.execute(_FILLED.sub(filled, _COPY.sub(rf"\1 {copies}", file.text)).encode())
        after = _present(connection, [schema])
        if made := after - before:
            connection.execute(_RECORD, [file.path, file.digest, *_columns(made)])
        before = after


def missing(connection: Connection, schema: str) -> list[str]:
    """Return the objects of a space that were installed and are gone, since somebody has dropped them."""
    catalogs, numbers = _columns(_present(connection, [schema, f"{schema}_bi"]))
    present = set(connection.execute(_IDENTITIES, [catalogs, numbers]).fetchall())
    installed = connection.execute("select kind, identity from installed_objects order by position").fetchall()
    return [f"{kind} {identity}" for kind, identity in installed if (kind, identity) not in present]


def is_distributed(connection: Connection) -> bool:
    """Return whether the space is distributed; one of a former release is not."""
    return connection.execute("select to_jsonb(s) ->> 'distributed' from space s").fetchone() == ("true",)


def _has_tables(connection: Connection) -> bool:
    return connection.execute("select materialization from space").fetchone() == ("tables",)


def _present(connection: Connection, schemas: list[str]) -> set[tuple[int, int]]:
    """Return what there is of the kinds that files make: the catalog of each, and its number there."""
    return set(connection.execute(_PRESENT, {"schemas": schemas}).fetchall())


def _columns(objects: set[tuple[int, int]]) -> tuple[list[int], list[int]]:
    return [catalog for catalog, _ in objects], [number for _, number in objects]


def files_to_keep(connection: Connection, files: Collection[SqlFile]) -> list[str]:
    """Return the files of the copies that may stay, with their data, and of all they stand on.

    A copy stays when neither its file nor any file below it has changed.
    """
    wanted = {(file.path, file.digest) for file in files}
    foundations: dict[str, set[tuple[str, str]]] = {}
    for copy, path, digest in connection.execute(_FOUNDATIONS, [_COPIES]).fetchall():
        foundations.setdefault(copy, set()).add((path, digest))
    return sorted({path for needed in foundations.values() if needed <= wanted for path, _ in needed})


def free_functions(connection: Connection) -> list[str]:
    """Return the files of the functions that find tables and views by name, so that these may be exchanged."""
    return [row[0] for row in connection.execute(_FREE_FUNCTIONS).fetchall()]


def compile_anew(connection: Connection) -> None:
    """Have the functions of the space forget of which types their variables were: those of other tables, by now."""
    (statements,) = connection.execute(_COMPILE_ANEW).fetchone() or (None,)
    if statements is not None:
        connection.execute(statements.encode())


def indexes_of_copies(connection: Connection, kept: list[str]) -> list[Index]:
    """Return the indexes of the copies that do not stay."""
    return [Index(*row) for row in connection.execute(_INDEXES_OF_COPIES, [_COPIES, kept]).fetchall()]


def restore_indexes(connection: Connection, indexes: list[Index]) -> None:
    """Build again the indexes that no file of the bundle has built."""
    for index in indexes:
        if connection.execute("select to_regclass(%s)", [index.name]).fetchone() == (None,):
            connection.execute(index.definition.encode())


def drop_installed(connection: Connection, kept: list[str]) -> None:
    """Drop what was installed, last first and never with CASCADE, but for the objects of the kept files.

    Raises PgaudienceError, naming it, when an object of somebody else stands on one of ours.
    """
    doomed = connection.execute(
        "select position, kind, identity from installed_objects where not file = any (%s) order by position desc",
        [kept],
    ).fetchall()
    for position, kind, identity in doomed:
        try:
            connection.execute(sql.SQL("drop {} if exists {}").format(sql.SQL(kind), sql.SQL(identity)))
        except psycopg.errors.DependentObjectsStillExist as error:
            raise PgaudienceError(
                f"{error.diag.message_detail}",
                "It is not part of pgaudience and would be lost. Drop it, migrate, and create it again.",
            ) from error
        connection.execute("delete from installed_objects where position = %s", [position])
