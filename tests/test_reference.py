"""docs/functions.md is made of the COMMENTs in the database; `make docs` writes it anew."""

from __future__ import annotations

import os

import psycopg

from conftest import TESTS, Cluster, _fill_toy, connect

PAGE = TESTS.parent / "docs" / "functions.md"

ROUTINES = r"""
select
    p.proname,
    format('%s(%s)', p.proname, regexp_replace(pg_get_function_arguments(p.oid), '\mIN ', '', 'g')),
    case p.prokind when 'p' then null else pg_get_function_result(p.oid) end,
    obj_description(p.oid, 'pg_proc')
from pg_proc p
where p.pronamespace = 'audience'::regnamespace and p.prorettype <> 'trigger'::regtype
order by p.proname, p.oid
"""

RELATIONS = """
select n.nspname, c.relname, c.relkind, obj_description(c.oid, 'pg_class'), c.oid
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('audience', 'audience_bi')
    and c.relkind in ('r', 'v', 'm')
    and c.relname not in ('alembic_version', 'installed_objects')
order by n.nspname, c.relname
"""

COLUMNS = """
select a.attname, format_type(a.atttypid, a.atttypmod), col_description(a.attrelid, a.attnum)
from pg_attribute a
where a.attrelid = %s and a.attnum > 0 and not a.attisdropped
order by a.attnum
"""

KINDS = {"r": "table", "v": "view", "m": "materialized view"}


def described(comment: str) -> list[str]:
    """The sentence of a comment, then its example as a block."""
    text, _, example = comment.partition("\nExample: ")
    return [text.replace("\n", " "), ""] + (["```sql", example, "```", ""] if example else [])


def is_internal(comment: str) -> bool:
    return comment.startswith("Internal.")


def routines(connection: psycopg.Connection, *, internal: bool) -> list[str]:
    lines = []
    for name, signature, result, comment in connection.execute(ROUTINES).fetchall():
        if is_internal(comment) == internal:
            gives = f" → `{result}`" if result else ""
            lines += [f"### {name}", "", f"`{signature}`{gives}", "", *described(comment)]
    return lines


def relations(connection: psycopg.Connection, *, internal: bool) -> list[str]:
    lines = []
    for schema, name, kind, comment, oid in connection.execute(RELATIONS).fetchall():
        if is_internal(comment) == internal:
            lines += [f"### {schema}.{name} ({KINDS[kind]})", "", *described(comment)]
            lines += ["| column | type | what it is |", "|---|---|---|"]
            for column, type_, text in connection.execute(COLUMNS, [oid]).fetchall():
                what = text.partition("\nExample: ")[0].replace("\n", " ").replace("|", "\\|")
                lines.append(f"| `{column}` | {type_.replace('vector(3)', 'vector(n)')} | {what} |")
            lines.append("")
    return lines


def reference(url: str) -> str:
    with connect(url) as connection:
        lines = [
            "# SQL reference",
            "",
            "Made from the COMMENTs in the database by `make docs`; `\\df+` and `\\d+` in psql show the same, and",
            "`select * from api` the functions of the first part. In place of `audience` stands the name of your",
            "space, and vectors have its number of dimensions.",
            "",
            "- [Functions and procedures](#functions-and-procedures): what you call",
            "- [Relations](#relations): what you read",
            "- [Plumbing](#plumbing): what both are made of",
            "",
            "## Functions and procedures",
            "",
            *routines(connection, internal=False),
            "## Relations",
            "",
            *relations(connection, internal=False),
            "## Plumbing",
            "",
            "Nothing here is promised: it may change without notice, so let no query of yours lean on it. The comment",
            "of each begins with `Internal.`",
            "",
            *routines(connection, internal=True),
            *relations(connection, internal=True),
        ]
    return "\n".join(lines).replace("public.vector", "vector").rstrip() + "\n"


def test_the_reference_is_what_the_comments_say(cluster18: Cluster) -> None:
    found = reference(cluster18.clone("toy", _fill_toy))
    if os.environ.get("PGAUDIENCE_DOCS") == "write":
        PAGE.write_text(found)
    assert PAGE.read_text() == found
