"""Vectors that were made elsewhere, of entries or of users, on their way into a space."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, LiteralString

from pgvector.psycopg import register_vector

from pgaudience.database import Connection, Space, check_model
from pgaudience.embedding.registry import VECTORS
from pgaudience.errors import PgaudienceError
from pgaudience.reading.vectors import Kind, Vectors

_CREATE = """
create temporary table given_vectors (
    number bigint generated always as identity,
    text text,
    embedding vector
) on commit drop
"""
_COPY = "copy given_vectors (text, embedding) from stdin (format binary)"

_FIND: dict[Kind, LiteralString] = {
    "entries": """
create temporary table found_vectors on commit drop as
select g.number, e.entry_key as key, g.embedding
from given_vectors g
left join entries e on text_hash(e.entry) = text_hash(normalize_text(g.text))
""",
    "users": """
create temporary table found_vectors on commit drop as
select g.number, u.user_key as key, g.embedding
from given_vectors g
left join users u on u.user_id = normalize_text(g.text)
""",
}
_COUNT = "select count(*), count(key), count(distinct key) from found_vectors"

_REMOVE: dict[Kind, LiteralString] = {
    "entries": "delete from entry_vectors v where not exists (select from found_vectors f where f.key = v.entry_key)",
    "users": "delete from given_user_vectors v where not exists (select from found_vectors f where f.key = v.user_key)",
}

# Whoever deletes an entry or a user now waits, and takes the vector along.
_STORE: dict[Kind, LiteralString] = {
    "entries": """
insert into entry_vectors (entry_key, embedding)
select distinct on (f.key) f.key, f.embedding
from found_vectors f
where f.key is not null
order by f.key, f.number desc
on conflict (entry_key) do update
set embedding = excluded.embedding, embedded_at = clock_timestamp()
""",
    "users": """
insert into given_user_vectors (user_key, embedding)
select distinct on (f.key) f.key, f.embedding
from found_vectors f
where f.key is not null
order by f.key, f.number desc
on conflict (user_key) do update
set embedding = excluded.embedding, given_at = clock_timestamp()
""",
}

_FORGET_FAILURES = "delete from entry_failures"
_RECORD_FAILURES = """
insert into entry_failures (entry_key, error)
select e.entry_key, 'No vector of it was loaded.'
from entries e
where not exists (select from entry_vectors v where v.entry_key = e.entry_key)
order by e.entry_key
"""


@dataclass(frozen=True, slots=True)
class Given:
    """What became of the vectors of a file: `repeated` gave way to later ones of the same entry or user."""

    kind: str
    stored: int
    unknown: int
    repeated: int


def store_vectors(
    connection: Connection, space: Space, chunks: Iterable[Vectors], mode: Literal["replace", "add"]
) -> Given:
    """Store vectors of entries or users in one transaction; in mode `replace` others of the kind are removed.

    Raises PgaudienceError, with nothing changed, in a space of another model, and where nobody knows the ids.
    """
    if space.model != VECTORS:
        raise PgaudienceError(
            f"the vectors of {space.schema!r} are made by {space.model}, not elsewhere",
            "Make a space for these: pgaudience --schema OTHER migrate"
            f" --of {space.base or space.schema} --model vectors --dimensions …",
        )
    register_vector(connection)
    kind: Kind = "entries"
    with connection.transaction():
        check_model(connection, space.model, space.dimensions)
        connection.execute(_CREATE)
        for chunk in chunks:
            kind = chunk.kind
            with connection.cursor().copy(_COPY) as copy:
                copy.set_types(["text", "vector"])
                for text, vector in zip(chunk.texts, chunk.matrix, strict=True):
                    copy.write_row((text, vector))
        connection.execute("analyze given_vectors")
        connection.execute(_FIND[kind])
        connection.execute("analyze found_vectors")
        rows, known, stored = connection.execute(_COUNT).fetchone() or (0, 0, 0)
        if not stored:
            raise PgaudienceError(
                f"none of the {rows:,} vectors is of {'a user' if kind == 'users' else 'an entry'} in the space",
                f"Are the ids those that were loaded? They are in the relation {kind}.",
            )
        if mode == "replace":
            connection.execute(_REMOVE[kind])
        connection.execute(_STORE[kind])
        connection.execute(_FORGET_FAILURES)
        connection.execute(_RECORD_FAILURES)
    return Given(kind, stored, rows - known, known - stored)
