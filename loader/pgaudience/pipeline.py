"""The steps that commands share: embed what waits, distill when it is due, embed one query."""

from __future__ import annotations

import sys

from psycopg import sql

from pgaudience import distilling, learning
from pgaudience.database import Connection, Space, SpaceConnection, open_space
from pgaudience.embedding.embed import Embedded, check_fits, count_pending, embed_pending, unpaid_texts
from pgaudience.embedding.provider import Provider, in_bfloat16
from pgaudience.embedding.queries import embed_waiting_queries, waiting_queries
from pgaudience.embedding.registry import BLEND, TFIDF, is_learned, provider_for
from pgaudience.embedding.terms import embed_by_terms
from pgaudience.encoding import encoder_state, ensure_encoder, has_encoder
from pgaudience.errors import PgaudienceError
from pgaudience.progress import progress
from pgaudience.refresh import refresh

# A worker that was faster has locked the row: it is waited for, and if it dies, the text waits still.
_ERROR = """
select q.error
from queries q
where text_hash(q.query) = text_hash(normalize_text(%s))
for share
"""

_REQUEST_TEXTS = "select request_embedding(q.query) from {} q where q.error is null order by q.query_key"


def space_provider(space: Space, base_url: str | None) -> Provider:
    """Return the provider of the space's model.

    Raises DimensionMismatch when its vectors do not fit the space.
    """
    provider = provider_for(space.model, dimensions=space.dimensions, base_url=base_url)
    check_fits(space, provider)
    return provider


def estimate_space(connection: Connection, space: Space, base_url: str | None) -> tuple[int, int]:
    """Return how many distinct texts, of entries and queries, have no vector, and about how many tokens they are."""
    provider = space_provider(space, base_url)
    texts = tokens = 0
    for some in [*unpaid_texts(connection), waiting_queries(connection)]:
        texts += len(some)
        tokens += provider.count_tokens(some) if some else 0
    return texts, tokens


def embed_space(connection: Connection, space: Space, base_url: str | None) -> Embedded:
    """Embed the entries and the queries that wait, with progress, and say what was done.

    The model is at hand then, so it is also stored in the space, where it is not yet and can run there. The model of a
    space of tfidf is in it once it was trained.
    """
    if space.model == TFIDF:
        done = embed_by_terms(connection, space)
        print(f"Embedded {done.stored:,} texts with {space.model}", file=sys.stderr)  # noqa: T201
        return done
    done, precision = Embedded(), ""
    entries = count_pending(connection)
    queries = waiting_queries(connection)
    if entries or queries:
        provider = space_provider(space, base_url)
        ensure_encoder(connection, space, provider)
        with progress("Embedding", entries + len(queries), "texts") as shown:
            done = embed_pending(connection, provider, shown)
            done += embed_waiting_queries(connection, provider)
            shown.advance(len(queries))
        precision = ", in bfloat16" if in_bfloat16(provider) else ""
    print(f"Embedded {done.stored:,} texts with {space.model}{precision}", file=sys.stderr)  # noqa: T201
    if done.copied:
        print(f"{done.copied:,} more entries have the text of another one, and its vector", file=sys.stderr)  # noqa: T201
    if done.failed:
        print(  # noqa: T201
            f"{done.failed:,} texts were refused; the tables entry_failures and queries say why", file=sys.stderr
        )
    return done


def store_model(connection: Connection, space: Space) -> str | None:
    """Store the space's model in the space, if it is at hand and runs in SQL; return why not, if it does not.

    What is there already stays if it is right, else it is stored anew.
    """
    anew = has_encoder(connection)
    if anew and encoder_state(connection).is_right:
        connection.commit()
        return None
    try:
        return ensure_encoder(connection, space, space_provider(space, None), anew=anew)
    except PgaudienceError as error:
        return error.message


def distill_space(connection: Connection, space: Space, base_url: str | None) -> None:
    """Fit the token table if it is due, unless another process is at it already, or the model runs in the space.

    Raises ProviderError when the model or its service is at fault; the next run goes on where this one stopped.
    """
    if has_encoder(connection):
        return
    if distilling.others_turn(connection):
        print("Another process is distilling the space; the token table is left to it", file=sys.stderr)  # noqa: T201
    elif distilling.distillation_due(connection):
        distilling.distill(connection, space, space_provider(space, base_url))


def bring_vectors(connection: SpaceConnection, space: Space, base_url: str | None) -> None:
    """Embed the entries that wait; in a learned space, learn anew if it has grown by a fifth."""
    if not is_learned(space.model):
        embed_space(connection, space, base_url)
    elif learning.training_due(connection):
        learning.learn(connection, space)
    elif space.model == TFIDF:
        embed_by_terms(connection, space)


def catch_up(connection: SpaceConnection, space: Space, base_url: str | None) -> None:
    """Bring the space and all others over the same people up to date, the base first: vectors, then refresh.

    Raises PgaudienceError where one of them cannot be; those before it are up to date then.
    """
    root = space.base or space.schema
    open_space(connection, root)
    over = connection.execute("select space from derived_spaces order by space").fetchall()
    spaces = [open_space(connection, row[0]) for row in over]
    for schema in [root, *(each.schema for each in sorted(spaces, key=lambda each: each.model == BLEND))]:
        each = open_space(connection, schema)
        bring_vectors(connection, each, base_url)
        refresh(connection)
        print(f"Space {schema}: up to date", file=sys.stderr)  # noqa: T201


def embed_query(connection: SpaceConnection, space: Space, text: str, base_url: str | None) -> None:
    """Make sure that embed(text) gives the model's own vector: a text that SQL alone cannot embed is kept in `queries`.

    In a learned space the text is one of the space in which its texts are understood; tfidf needs nothing for that.

    Raises PgaudienceError when the text is blank or the model refuses it.
    """
    if space.model == TFIDF:
        return
    if is_learned(space.model) and space.base is not None:
        embed_query(connection, open_space(connection, space.base), text, base_url)
        open_space(connection, space.schema)
        return
    if _has_vector(connection, text):
        return
    connection.execute("select request_embedding(%s)", [text])
    connection.commit()
    provider = space_provider(space, base_url)
    while not _has_vector(connection, text):
        embed_waiting_queries(connection, provider)
        found = connection.execute(_ERROR, [text]).fetchone()
        connection.commit()
        if found and found[0]:
            raise PgaudienceError(f"{space.model} refused the text: {found[0]}")


def embed_texts_of(connection: SpaceConnection, space: Space, other: Space, base_url: str | None) -> None:
    """See to it that in `other`, in which the connection is, the texts searched for in `space` have vectors, too.

    Where the model is in the database they need none.
    """
    if is_learned(other.model) or has_encoder(connection):
        return
    connection.execute(sql.SQL(_REQUEST_TEXTS).format(sql.Identifier(space.schema, "queries")))
    connection.commit()
    if waiting_queries(connection):
        embed_waiting_queries(connection, space_provider(other, base_url))


def _has_vector(connection: Connection, text: str) -> bool:
    source = connection.execute("select query_source(%s)", [text]).fetchone()
    connection.commit()
    return source in (("entry",), ("exact",), ("encoder",))
