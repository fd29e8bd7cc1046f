"""Spaces over the people of another one, their base: which there are, and the views that stand for its tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from pgaudience.database import Connection
from pgaudience.embedding.registry import ATTRIBUTES, BLEND, is_learned
from pgaudience.errors import PgaudienceError
from pgaudience.installing import surroundings

PEOPLE = ("users", "entries", "activity", "sessions", "attribute_kinds")
"""What a space takes from its base."""

_IS_SPACE = """
select exists (
    select
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = %s and c.relname = 'space'
)
"""

# A space of a former release has no such column.
_FACTS = "select to_jsonb(s) ->> 'base', s.model, s.dimensions from {} s"

_SPACES_OVER = """
select n.nspname
from pg_constraint f
join pg_class c on c.oid = f.conrelid
join pg_namespace n on n.oid = c.relnamespace
join pg_class e on e.oid = f.confrelid
join pg_namespace b on b.oid = e.relnamespace
where f.contype = 'f'
    and b.nspname = %s
    and e.relname = 'entries'
    and c.relname = 'entry_vectors'
    and n.nspname <> b.nspname
    and c.relowner = e.relowner
order by n.nspname
"""

_COMMENTS = """
select null, obj_description(c.oid, 'pg_class')
from pg_class c
where c.oid = to_regclass(%(table)s)
union all
select a.attname, col_description(a.attrelid, a.attnum)
from pg_attribute a
where a.attrelid = to_regclass(%(table)s) and a.attnum > 0 and not a.attisdropped
"""


@dataclass(frozen=True, slots=True)
class Found:
    """What a space is, by its own account."""

    owner: str
    base: str | None
    model: str
    dimensions: int


def find_base(connection: Connection, schema: str, of: str | None) -> str | None:
    """Return the base of the space `schema`, which exists or is to be made with the people `of` another one.

    Raises PgaudienceError when it is asked for people other than its own, its base is gone or belongs to somebody else.
    """
    asked = _base_for(connection, schema, of) if of is not None else None
    space = find(connection, schema)
    if space is None:
        return asked
    if asked is not None and asked != space.base:
        whose = f"those of {space.base!r}" if space.base else "its own"
        raise PgaudienceError(
            f"the people of the space {schema!r} are {whose}, not those of {asked!r}",
            f"Make another one: pgaudience --schema OTHER migrate --of {asked}",
        )
    if space.base is not None:
        _check_base(connection, schema, space, space.base)
    return space.base


def spaces_over(connection: Connection, base: str) -> list[str]:
    """Return the spaces that have the people of `base`, those that blend others last."""
    names = [row[0] for row in connection.execute(_SPACES_OVER, [base]).fetchall()]
    found = {name: find(connection, name) for name in names}
    return sorted(names, key=lambda name: (getattr(found[name], "model", "") == BLEND, name))


def check_parts(connection: Connection, parts: Sequence[str]) -> tuple[str, int]:
    """Return the base that the parts of a blend have in common, and how many dimensions they have together.

    Raises PgaudienceError when they cannot be blended.
    """
    found = {part: find(connection, part) for part in parts}
    missing = [part for part, space in found.items() if space is None]
    if missing:
        raise PgaudienceError(f"there is no space {missing[0]!r} in this database, which could be a part")
    spaces = {part: space for part, space in found.items() if space is not None}
    if len(spaces) < max(len(parts), 2):
        raise PgaudienceError("a blend has two parts or more, each once", "As in: --parts audience,taste")
    bases = {space.base or part for part, space in spaces.items()}
    if len(bases) > 1:
        raise PgaudienceError(f"the parts have the people of different spaces: {', '.join(sorted(bases))}")
    for part, space in spaces.items():
        if space.base is not None and (not is_learned(space.model) or space.model in (BLEND, ATTRIBUTES)):
            raise PgaudienceError(
                f"{part!r} is a space of {space.model}, which cannot be a part",
                "The parts are the base itself and spaces over it that have learned vectors of entries.",
            )
    return bases.pop(), sum(space.dimensions for space in spaces.values())


def share(connection: Connection, schema: str, base: str) -> None:
    """Create the views that stand for the tables of the base, or bring them up to date with new columns there."""
    for relation in PEOPLE:
        view, table = sql.Identifier(schema, relation), sql.Identifier(base, relation)
        connection.execute(sql.SQL("create or replace view {} as select * from {}").format(view, table))
        for column, text in connection.execute(_COMMENTS, {"table": table.as_string(connection)}).fetchall():
            what, names = ("view", ()) if column is None else ("column", (str(column),))
            named = sql.Identifier(schema, relation, *names)
            connection.execute(sql.SQL("comment on {} {} is {}").format(sql.SQL(what), named, sql.Literal(text)))


def part(connection: Connection, schema: str) -> None:
    """Drop those views, so that the tables of the base may change."""
    for relation in PEOPLE:
        connection.execute(sql.SQL("drop view if exists {}").format(sql.Identifier(schema, relation)))


def _base_for(connection: Connection, schema: str, of: str) -> str:
    """Return the space that has the people `of` as its own: itself, or its base."""
    found = find(connection, of)
    if found is None:
        raise PgaudienceError(f"there is no space {of!r} in this database, whose people could be shared")
    base = found.base or of
    if base == schema:
        raise PgaudienceError(
            f"the space {schema!r} cannot be made of its own people",
            "Give it another name: pgaudience --schema OTHER …",
        )
    return base


def _check_base(connection: Connection, schema: str, space: Found, base: str) -> None:
    found = find(connection, base)
    if found is None:
        raise PgaudienceError(
            f"the people of the space {schema!r} are gone: they were those of {base!r}, which does not exist any more",
            f"Restore {base} from a backup together with {schema}, or drop what is left: "
            + sql.SQL("drop schema {}, {} cascade;")
            .format(sql.Identifier(schema), sql.Identifier(f"{schema}_bi"))
            .as_string(connection),
        )
    if found.owner != space.owner:
        raise PgaudienceError(
            f"the space {schema!r} belongs to {space.owner!r}, its base {base!r} to {found.owner!r}",
            "Give both to one role: alter table … owner to …, for everything in the schema.",
        )


def find(connection: Connection, schema: str) -> Found | None:
    """Return what a space is; None if there is none of that name."""
    if connection.execute(_IS_SPACE, [schema]).fetchone() != (True,):
        return None
    owner = surroundings.owner_of_space(connection, schema)
    with surroundings.acting_as(connection, owner):
        row = connection.execute(sql.SQL(_FACTS).format(sql.Identifier(schema, "space"))).fetchone()
    base, model, dimensions = row or (None, "", 0)
    return Found(owner, base, model, dimensions)
