"""The steps that commands share: embed what waits, embed one query."""

from __future__ import annotations

import sys
from typing import Any

import psycopg

from pgaudience.database import Space
from pgaudience.embedding.embed import Embedded, check_fits, embed_pending, pending_entries, pending_texts
from pgaudience.embedding.provider import Provider
from pgaudience.embedding.queries import embed_waiting_queries
from pgaudience.embedding.registry import provider_for
from pgaudience.errors import PgaudienceError
from pgaudience.progress import progress

Connection = psycopg.Connection[tuple[Any, ...]]


def space_provider(space: Space, base_url: str | None) -> Provider:
    """Return the provider of the space's model.

    Raises DimensionMismatch when its vectors do not fit the space.
    """
    provider = provider_for(space.model, base_url=base_url)
    if provider.dimensions > space.dimensions:
        provider = provider_for(space.model, dimensions=space.dimensions, base_url=base_url)
    check_fits(space, provider)
    return provider


def estimate_space(connection: Connection, space: Space, base_url: str | None) -> tuple[int, int]:
    """Return how many entries have no vector and about how many tokens they are."""
    provider = space_provider(space, base_url)
    keys = pending_entries(connection)
    return len(keys), sum(provider.count_tokens(texts) for texts in pending_texts(connection, keys))


def embed_space(connection: Connection, space: Space, base_url: str | None) -> Embedded:
    """Embed the entries and the queries that wait, with progress, and say what was done."""
    keys = pending_entries(connection)
    done = Embedded()
    queries_wait = connection.execute("select exists (select from queries where embedding is null)").fetchone()
    connection.commit()
    if len(keys):
        provider = space_provider(space, base_url)
        with progress("Embedding", len(keys), "texts") as shown:
            done = embed_pending(connection, provider, shown)
    if queries_wait == (True,):
        embed_waiting_queries(connection, space_provider(space, base_url))
    print(f"Embedded {done.stored:,} texts with {space.model}", file=sys.stderr)  # noqa: T201
    if done.failed:
        print(f"{done.failed:,} texts were refused; the table entry_failures says why", file=sys.stderr)  # noqa: T201
    return done


def embed_query(connection: Connection, space: Space, text: str, base_url: str | None) -> None:
    """Make sure that embed(text) answers: a new text is embedded and kept in `queries`.

    Raises PgaudienceError when the text is blank or the model refuses it.
    """
    source = connection.execute("select query_source(%s)", [text]).fetchone()
    if source in (("entry",), ("exact",)):
        connection.commit()
        return
    connection.execute("select request_embedding(%s)", [text])
    connection.commit()
    embed_waiting_queries(connection, space_provider(space, base_url))
    failed = connection.execute(
        "select error from queries where md5(query)::uuid = md5(normalize_text(%s))::uuid and embedding is null",
        [text],
    ).fetchone()
    connection.commit()
    if failed is not None:
        raise PgaudienceError(f"{space.model} refused the text: {failed[0]}")
