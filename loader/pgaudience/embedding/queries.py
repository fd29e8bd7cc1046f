"""Embed query texts: those that wait in the table `queries`, and one that is searched for now."""

from __future__ import annotations

from pgvector.psycopg import register_vector

from pgaudience.database import Connection, check_model
from pgaudience.embedding.each import embed_each
from pgaudience.embedding.embed import Embedded
from pgaudience.embedding.provider import Provider

_CLAIM = """
select q.query_key, q.query
from queries q
where q.embedding is null and not q.query_key = any (%(tried)s) and (q.error is null or %(refused)s)
order by q.query_key
limit %(size)s
for no key update skip locked
"""

_STORE = """
update queries
set embedding = %s, embedded_at = clock_timestamp(), error = null
where query_key = %s
"""

_RECORD_FAILURE = "update queries set error = %s, attempts = attempts + 1 where query_key = %s"


def waiting_queries(connection: Connection) -> list[str]:
    """Return the texts that wait for their vector."""
    rows = connection.execute("select q.query from queries q where q.embedding is null order by q.query_key").fetchall()
    connection.commit()
    return [query for (query,) in rows]


def embed_waiting_queries(connection: Connection, provider: Provider, *, refused: bool = True) -> Embedded:
    """Embed the queries that wait, each batch committed by itself; a text the model refuses keeps its error.

    `refused` says whether those that were refused before are tried again.

    Raises ProviderError when the model or its service is at fault, ModelChanged when the space was swapped.
    """
    register_vector(connection)
    done = Embedded()
    tried: list[int] = []
    while True:
        with connection.transaction():
            check_model(connection, provider.name, provider.dimensions)
            batch = connection.execute(
                _CLAIM, {"tried": tried, "refused": refused, "size": provider.batch_size}
            ).fetchall()
            if not batch:
                return done
            tried += [key for key, _ in batch]
            result = embed_each(provider, [query for _, query in batch], queries=True)
            for position, vector in zip(result.kept, result.vectors, strict=True):
                connection.execute(_STORE, [vector, batch[position][0]])
            for position, error in result.failures.items():
                connection.execute(_RECORD_FAILURE, [error, batch[position][0]])
        done += Embedded(stored=len(result.kept), failed=len(result.failures), seen=len(batch))
