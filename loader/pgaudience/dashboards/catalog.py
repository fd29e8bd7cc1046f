"""The views that BI tools read, as their catalog and their comments describe them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pgaudience.database import Connection
from pgaudience.errors import PgaudienceError

_COLUMNS = """
select
    c.relname,
    split_part(obj_description(c.oid, 'pg_class'), E'\\nExample:', 1),
    a.attname,
    upper(format_type(a.atttypid, a.atttypmod)),
    a.atttypid = any (array['timestamptz', 'timestamp', 'date']::regtype[]),
    col_description(c.oid, a.attnum)
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where n.nspname = %s and c.relkind in ('v', 'm') and has_table_privilege(c.oid, 'select')
order by c.relname, a.attnum
"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a view; its type is as PostgreSQL writes it, in capitals."""

    name: str
    type: str
    is_time: bool
    description: str | None


@dataclass(frozen=True, slots=True)
class View:
    """A view, and what its comment says, without the example."""

    name: str
    description: str | None
    columns: tuple[Column, ...]

    @property
    def time(self) -> str | None:
        """The column that says as of when a row is: when it was refreshed, else the first of all times."""
        times = [column.name for column in self.columns if column.is_time]
        return "refreshed_at" if "refreshed_at" in times else next(iter(times), None)


def read_views(connection: Connection, schema: str) -> Mapping[str, View]:
    """Return the views of a schema that the role may read, by name.

    Raises PgaudienceError where there are none.
    """
    found: dict[str, View] = {}
    for view, description, *column in connection.execute(_COLUMNS, [schema]):
        former = found[view].columns if view in found else ()
        found[view] = View(view, description, (*former, Column(*column)))
    if not found:
        raise PgaudienceError(
            f"this role can read no view of {schema}", "pgaudience check says what is missing, and what to do about it."
        )
    return found
