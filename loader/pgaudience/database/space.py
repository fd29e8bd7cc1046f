"""A space: one schema, one embedding model, one dimension."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from pgaudience.errors import PgaudienceError

Connection = psycopg.Connection[tuple[Any, ...]]

# A space of a former release has no column `base`; one whose base was dropped has lost the views of it.
_FACTS = """
select s.model, s.dimensions, to_jsonb(s) ->> 'base', (
    select count(*) = 3
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = %s and c.relname in ('users', 'entries', 'activity')
)
from {} s
"""

_VECTOR_SCHEMA = """
select quote_ident(n.nspname)
from pg_extension e
join pg_namespace n on n.oid = e.extnamespace
where e.extname = 'vector'
"""


@dataclass(frozen=True, slots=True)
class Space:
    """What a space is made for, as its table `space` says.

    `base` is the space whose users, entries and activity it shares; None if they are its own.
    """

    schema: str
    model: str
    dimensions: int
    base: str | None = None


def use_schema(connection: Connection, *schemas: str) -> None:
    """Set search_path to the schemas, then that of pgvector, then pg_temp, which must come last."""
    found = connection.execute(_VECTOR_SCHEMA).fetchone()
    connection.execute(
        "select set_config('search_path', (select string_agg(quote_ident(s), ', ') from unnest(%s::text[]) s)"
        " || %s || ', pg_temp', false)",
        [list(schemas), f", {found[0]}" if found else ""],
    )


def open_space(connection: Connection, schema: str) -> Space:
    """Set search_path to the space and return its facts; ends its own transaction.

    Raises PgaudienceError when the schema is not a space, or its base is gone.
    """
    use_schema(connection, schema)
    try:
        query = sql.SQL(_FACTS).format(sql.Identifier(schema, "space"))
        found = connection.execute(query, [schema]).fetchone()
    except psycopg.errors.UndefinedTable:
        found = None
    except psycopg.errors.InsufficientPrivilege as error:
        raise PgaudienceError(
            f"this role may not read the space {schema!r}", f"Ask its owner for: grant {schema}_reader to <this role>"
        ) from error
    if found is None:
        connection.rollback()
        raise PgaudienceError(
            f"there is no space {schema!r} in this database",
            f"Create it: pgaudience --schema {shlex.quote(schema)} migrate",
        )
    connection.commit()
    model, dimensions, base, is_whole = found
    if base is not None and not is_whole:
        raise PgaudienceError(
            f"the people of the space {schema!r} are gone: they were those of {base!r}",
            f"See what is to be done: pgaudience --schema {shlex.quote(schema)} migrate",
        )
    return Space(schema, model, dimensions, base)
