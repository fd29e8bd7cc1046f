"""Search users by evidence and user vector together, against the exact scan of the user vectors alone."""

from __future__ import annotations

from typing import Any

from measuring import Comparison, Contender, alternate, say
from purchases import fill
from serving import Connection, serving

USERS, ENTRIES, PAIRS = 100_000, 12_000, 5_000_000
SMALL_USERS, SMALL_ENTRIES, SMALL_PAIRS = 2_000, 1_000, 40_000
K, QUERIES = 20, 10
TARGET = 1.5

MEAN, HYBRID, SCAN = "mode => 'mean'", "mode => 'hybrid'", "order by embedding <=> query limit 20"

_QUERIES = "select array_agg(embedding::text) from (select embedding from entry_vectors order by entry_key limit %s) q"
_SEARCH = "select count(score), max(score) from search_users(%s::vector, k => %s, mode => %s)"
_SCAN = "select user_id from user_vectors order by embedding <=> %s::vector, user_id limit %s"
_ADMITTED = """
select count(*), sum(cardinality(user_keys)) from admitted_entries(%s::vector) join entry_postings using (entry_key)
"""


def run(*, small: bool) -> dict[str, Any]:
    """Time ten queries, each the vector of an entry, without indexes on vectors."""
    users, entries, pairs = (SMALL_USERS, SMALL_ENTRIES, SMALL_PAIRS) if small else (USERS, ENTRIES, PAIRS)
    with serving() as server, server.connect() as connection:
        say(f"filling the space: {users:,} users, {entries:,} entries, {pairs:,} pairs")
        data = fill(connection, users, entries, pairs)
        connection.execute("call refresh()")
        connection.commit()
        found = connection.execute(_QUERIES, [QUERIES]).fetchone()
        queries: list[str] = found[0] if found else []
        admitted = [connection.execute(_ADMITTED, [query]).fetchone() for query in queries]
        times = alternate(
            Contender(SCAN, lambda: _scan(connection, queries)),
            Contender(MEAN, lambda: _search(connection, queries, "mean")),
            Contender(HYBRID, lambda: _search(connection, queries, "hybrid")),
        )
    return {
        "data": data,
        "queries": QUERIES,
        "entries_and_pairs_admitted": admitted,
        **times.report([Comparison(HYBRID, MEAN, TARGET), Comparison(HYBRID, SCAN)]),
    }


def _scan(connection: Connection, queries: list[str]) -> None:
    for query in queries:
        assert len(connection.execute(_SCAN, [query, K]).fetchall()) == K


def _search(connection: Connection, queries: list[str], mode: str) -> None:
    for query in queries:
        found = connection.execute(_SEARCH, [query, K, mode]).fetchone()
        assert found is not None
        assert found[0] == K
