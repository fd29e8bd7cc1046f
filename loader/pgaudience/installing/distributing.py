"""Whether a space can be distributed over the machines of Citus, and what that asks of a migration."""

from __future__ import annotations

import shlex

from psycopg import sql

from pgaudience.database import Connection
from pgaudience.embedding.registry import is_learned
from pgaudience.errors import PgaudienceError
from pgaudience.installing import family, surroundings
from pgaudience.installing.wishes import Materialization

_CITUS = "select exists (select from pg_extension where extname = 'citus')"
_HAS_WORKERS = """
select citus_is_coordinator() and exists (
    select from pg_dist_node n where n.isactive and n.noderole = 'primary' and n.shouldhaveshards
)
"""
_HAS_SPACE = "select to_regclass(format('%%I.space', %s::text)) is not null"
_FACTS = "select coalesce((to_jsonb(s) ->> 'distributed')::boolean, false), s.model from {} s"


def check(
    connection: Connection,
    schema: str,
    base: str | None,
    materialization: Materialization | None,
    model: str | None,
    *,
    distributed: bool,
) -> None:
    """Raise PgaudienceError when a space cannot be distributed, or is and is asked for what cannot be then.

    Where it is, or is going to be, this transaction changes shards one by one, as Citus asks for where reference
    tables are among what changes.
    """
    was_distributed, found = _facts(connection, schema)
    if base is not None and (distributed or _facts(connection, base)[0]):
        raise PgaudienceError(
            f"the space {schema!r} has the people of {base!r}, and a distributed space shares its people with none",
            "Nothing was changed. Load them into a space of their own.",
        )
    if not distributed and not was_distributed:
        return
    if connection.execute(_CITUS).fetchone() != (True,):
        raise PgaudienceError(
            "the extension citus is missing in this database, so nothing can be distributed",
            "Nothing was changed. Leave out --distributed: one machine does for millions of users (docs/scale.md); or"
            " connect to the coordinator of a cluster of Citus.",
        )
    if connection.execute(_HAS_WORKERS).fetchone() != (True,):
        raise PgaudienceError(
            "this is not the coordinator of a cluster of Citus with workers",
            "Nothing was changed. On the coordinator: select citus_add_node(host, port); for each worker.",
        )
    if materialization == "views":
        raise PgaudienceError("a distributed space has tables in place of views", "Leave out: --materialize views")
    if is_learned(model or found or ""):
        raise PgaudienceError(
            f"a space of {model or found} cannot be distributed", "A distributed space has a model of texts."
        )
    if not was_distributed and (over := family.spaces_over(connection, schema)):
        raise PgaudienceError(
            f"there are spaces over the people of {schema!r}, which would be lost: {', '.join(over)}",
            f"Drop them first: drop schema {', '.join(map(shlex.quote, over))} cascade;",
        )
    connection.execute("select set_config('citus.multi_shard_modify_mode', 'sequential', true)")


def _facts(connection: Connection, schema: str) -> tuple[bool, str | None]:
    """Return whether there is a distributed space of this name, and the model of the space, if there is one."""
    if connection.execute(_HAS_SPACE, [schema]).fetchone() != (True,):
        return False, None
    owner = surroundings.owner_of_space(connection, schema)
    with surroundings.acting_as(connection, owner):
        found = connection.execute(sql.SQL(_FACTS).format(sql.Identifier(schema, "space"))).fetchone()
    return found or (False, None)
