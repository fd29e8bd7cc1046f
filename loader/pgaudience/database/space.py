"""A space: one schema, one embedding model, one dimension."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

import psycopg
from psycopg import sql

from pgaudience.database.transactions import Connection, SpaceConnection
from pgaudience.errors import PgaudienceError

# A space of a former release has no column `base` or `distributed`; one whose base is gone has lost the views of it.
_FACTS = """
select s.model, s.dimensions, to_jsonb(s) ->> 'base', coalesce((to_jsonb(s) ->> 'distributed')::boolean, false), (
    select count(*) = 3
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = %s and c.relname in ('users', 'entries', 'activity')
)
from {} s
"""

_SEARCH_PATH = """
select string_agg(quote_ident(s.name), ', ' order by s.place) || ', pg_temp'
from (
    select u.name, u.place
    from unnest(%s::text[]) with ordinality u (name, place)
    union all
    select n.nspname, null
    from pg_extension e
    join pg_namespace n on n.oid = e.extnamespace
    where e.extname = 'vector'
) s
"""


@dataclass(frozen=True, slots=True)
class Space:
    """What a space is made for, as its table `space` says.

    `base` is the space whose users, entries and activity it shares; None if they are its own. `distributed` says that
    its users are on the machines of Citus, where not everything works.
    """

    schema: str
    model: str
    dimensions: int
    base: str | None = None
    distributed: bool = False


class ModelChanged(PgaudienceError):  # noqa: N818
    """The space has another model by now than the one that is at work for it."""


def check_model(connection: Connection, model: str, dimensions: int) -> None:
    """See to it that the space is of this model until the transaction ends.

    Raises ModelChanged when it is not: it was swapped.
    """
    found = connection.execute("select model, dimensions from space").fetchone()
    if found != (model, dimensions):
        now = "gone" if found is None else f"of {found[0]} with {found[1]} dimensions"
        raise ModelChanged(
            f"the space was of {model} with {dimensions} dimensions, and is {now} by now", "Run it again."
        )


def search_path(connection: Connection, *schemas: str) -> str:
    """Return the search_path of these schemas, then that of pgvector, then pg_temp, which must come last."""
    return str(connection.execute(_SEARCH_PATH, [list(schemas)]).fetchone()[0])  # type: ignore[index]


def use_schema(connection: SpaceConnection, schema: str, *others: str) -> None:
    """Have the connection work in this schema from now on; the other ones come after it in search_path."""
    connection.give_space(schema, search_path(connection, schema, *others))


def open_space(connection: SpaceConnection, schema: str) -> Space:
    """Have the connection work in the space and return its facts; ends its own transaction.

    Raises PgaudienceError when the schema is not a space, or its base is gone.
    """
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
    use_schema(connection, schema)
    connection.commit()
    model, dimensions, base, distributed, is_whole = found
    if base is not None and not is_whole:
        raise PgaudienceError(
            f"the people of the space {schema!r} are gone: they were those of {base!r}",
            f"See what is to be done: pgaudience --schema {shlex.quote(schema)} migrate",
        )
    return Space(schema, model, dimensions, base, distributed)
