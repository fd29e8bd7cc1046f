"""Whether HNSW indexes find whom an exact scan finds: on real people, and among many equal vectors."""

from __future__ import annotations

from typing import Any, LiteralString

import numpy as np
from measuring import say
from pgvector.psycopg import register_vector
from psycopg.conninfo import make_conninfo
from serving import SCHEMA, Connection, serving

from judging.filling import filled, shared
from pgaudience.database import open_space
from pgaudience.embedding.provider import Provider
from pgaudience.indexing import create_indexes
from pgaudience.refresh import refresh

K = 100
QUERIES, FEW_QUERIES = 50, 5
CLOSE = 1e-6
TARGET = 0.98

CROWD, OTHERS, FEW = 4_000, 6_000, 10

# What each function is asked about, drawn by the hash of their keys, and the question.
_VECTORS = "select embedding::text from entry_vectors order by hashint8extended(entry_key, 1), entry_key limit %s"
_USERS = "select user_id from user_vectors order by hashint8extended(user_key, 1), user_key limit %s"
_ASKED: dict[str, tuple[LiteralString, LiteralString]] = {
    "search_users": (_VECTORS, "select score from search_users(%s::vector, k => %s, mode => 'mean')"),
    "search_entries": (_VECTORS, "select similarity from search_entries(%s::vector, k => %s)"),
    "similar_users": (_USERS, "select similarity from similar_users(%s, k => %s)"),
    "lookalikes": (_USERS, "select similarity from lookalikes(array[%s], k => %s)"),
}

# A crowd of one kind beside others: users of one entry, whose vector is theirs.
_CROWDED: tuple[LiteralString, ...] = (
    "insert into users (user_id) select 'u' || n from generate_series(1, %(users)s) n",
    "insert into entries (entry) select 'e' || n from generate_series(1, %(users)s) n order by n",
    "select setseed(0.5)",
    """
    insert into entry_vectors (entry_key, embedding)
    select e.entry_key, l2_normalize(array_agg(random_normal() order by d)::vector)
    from entries e
    cross join lateral generate_series(1, (select dimensions from space) + 0 * e.entry_key) d
    group by e.entry_key
    """,
    """
    update entry_vectors
    set embedding = (select embedding from entry_vectors order by entry_key limit 1)
    where entry_key in (select entry_key from entry_vectors order by entry_key limit %(crowd)s)
    """,
    """
    insert into activity (user_key, entry_key, frequency)
    select u.user_key, e.entry_key, 1 from users u join entries e on e.entry = 'e' || substr(u.user_id, 2)
    """,
)


def measure(provider: Provider, *, small: bool) -> dict[str, Any]:
    """Return the recall of the first hundred by data set and function."""
    queries = FEW_QUERIES if small else QUERIES
    with filled(shared("completejourney/events.csv.gz"), provider) as connection:
        found = {"completejourney": _recalls(connection, queries)}
    with serving() as server, server.connect() as connection:
        register_vector(connection)
        crowd, others = (CROWD // FEW, OTHERS // FEW) if small else (CROWD, OTHERS)
        for statement in _CROWDED:
            connection.execute(statement, {"users": crowd + others, "crowd": crowd})
        refresh(connection)
        found["crowded"] = _recalls(connection, queries)
    worst = min(recall for recalls in found.values() for recall in recalls.values())
    return {"recall_at_100": found, "target": {"recall_at_100": TARGET, "met": worst >= TARGET}}


def _recalls(connection: Connection, queries: int) -> dict[str, float]:
    url = make_conninfo(connection.info.dsn, password=connection.info.password)
    create_indexes(connection, open_space(connection, SCHEMA), url)
    connection.execute("set enable_seqscan = off")
    recalls = {name: _recall(connection, *asked, queries) for name, asked in _ASKED.items()}
    say(f"recall@{K}: {recalls}")
    return recalls


def _recall(connection: Connection, of: LiteralString, question: LiteralString, queries: int) -> float:
    """Return the share of the rows of answers by index that are as good as the last of the exact answer."""
    shares = []
    for (asked,) in connection.execute(of, [queries]).fetchall():
        found, exact = (_answer(connection, question, asked, index=index) for index in (True, False))
        assert len(found) == len(exact)
        shares.append(np.mean(found >= exact.min() - CLOSE))
    return round(float(np.mean(shares)), 4)


def _answer(connection: Connection, question: LiteralString, asked: object, *, index: bool) -> np.ndarray:
    connection.execute("select set_config('enable_indexscan', %s, false)", [str(index)])
    return np.array([row[0] for row in connection.execute(question, [asked, K])])
