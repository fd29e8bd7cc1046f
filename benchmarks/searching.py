"""Search users by evidence and vector together, against the exact scan of vectors alone; for many; among a million."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from measuring import Comparison, Contender, alternate, say
from purchases import fill
from serving import Connection, Server, serving

USERS, ENTRIES, PAIRS = 100_000, 12_000, 5_000_000
LARGE_USERS, LARGE_PAIRS = 50_000, 740_000
SMALL_USERS, SMALL_ENTRIES, SMALL_PAIRS = 2_000, 1_000, 40_000
TIMES_MORE = 10
K, QUERIES = 20, 10
MANY, FEWER_QUERIES, FEW = 5_000, 5, 500
TARGET, TARGET_OF_MANY = 1.5, 3

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
    with _filled(users, entries, pairs) as (server, connection, data, queries):
        admitted = [connection.execute(_ADMITTED, [query]).fetchone() for query in queries]
        times = alternate(
            Contender(SCAN, lambda: _scan(connection, queries)),
            Contender(MEAN, lambda: _search(connection, queries, "mean")),
            Contender(HYBRID, lambda: _search(connection, queries, "hybrid")),
            cpu=server.cpu_clock(),
        )
    return {
        "data": data,
        "queries": QUERIES,
        "entries_and_pairs_admitted": admitted,
        **times.report([Comparison(HYBRID, MEAN, TARGET), Comparison(HYBRID, SCAN)]),
    }


def run_large(*, small: bool) -> dict[str, Any]:
    """Time an answer of 5,000 users against one of 20, by every mode."""
    users, entries, pairs = (SMALL_USERS, SMALL_ENTRIES, SMALL_PAIRS) if small else (LARGE_USERS, ENTRIES, LARGE_PAIRS)
    many = FEW if small else MANY
    names = {(mode, k): f"{mode}, k => {k}" for mode in ("mean", "evidence", "hybrid") for k in (K, many)}
    with _filled(users, entries, pairs) as (server, connection, data, queries):
        queries = queries[:FEWER_QUERIES]
        times = alternate(
            *(
                Contender(name, lambda mode=mode, k=k: _search(connection, queries, mode, k))
                for (mode, k), name in names.items()
            ),
            cpu=server.cpu_clock(),
        )
    comparisons = [
        Comparison(names[mode, many], names[mode, K], TARGET_OF_MANY) for mode in ("mean", "evidence", "hybrid")
    ]
    return {"data": data, "queries": FEWER_QUERIES, **times.report(comparisons)}


def run_million(*, small: bool) -> dict[str, Any]:
    """Time the same searches among ten times the users: does the time follow the rows of the admitted entries?"""
    users, entries, pairs = (SMALL_USERS, SMALL_ENTRIES, SMALL_PAIRS) if small else (USERS, ENTRIES, 2_000_000)
    fewer, more = _searches(users, entries, pairs), _searches(TIMES_MORE * users, entries, TIMES_MORE * pairs)
    return {
        "fewer": fewer,
        "more": more,
        "ratio_of_rows": round(more["rows_admitted"] / fewer["rows_admitted"], 2),
        "ratio_of_seconds": round(more["seconds"] / fewer["seconds"], 2),
    }


def _searches(users: int, entries: int, pairs: int) -> dict[str, Any]:
    """Return the medians over the queries of the rows admitted and of the seconds taken, the best of three each."""
    with _filled(users, entries, pairs) as (_, connection, _, queries):
        rows = [int((connection.execute(_ADMITTED, [query]).fetchone() or (0, 0))[1]) for query in queries]
        seconds = [min(_seconds(connection, query) for _ in range(3)) for query in queries]
    return {
        "users": users,
        "pairs": pairs,
        "rows_admitted": statistics.median(rows),
        "seconds": round(statistics.median(seconds), 4),
        "slowest": round(max(seconds), 4),
    }


@contextmanager
def _filled(users: int, entries: int, pairs: int) -> Iterator[tuple[Server, Connection, dict[str, Any], list[str]]]:
    """Yield a server, a connection to its space with made-up purchases, what is in it, and the queries."""
    with serving() as server, server.connect() as connection:
        say(f"filling the space: {users:,} users, {entries:,} entries, {pairs:,} pairs")
        data = fill(connection, users, entries, pairs)
        connection.execute("call refresh()")
        connection.commit()
        found = connection.execute(_QUERIES, [QUERIES]).fetchone()
        yield server, connection, data, found[0] if found else []


def _seconds(connection: Connection, query: str) -> float:
    started = time.perf_counter()
    _search(connection, [query], "hybrid")
    return time.perf_counter() - started


def _scan(connection: Connection, queries: list[str]) -> None:
    for query in queries:
        assert len(connection.execute(_SCAN, [query, K]).fetchall()) == K


def _search(connection: Connection, queries: list[str], mode: str, k: int = K) -> None:
    for query in queries:
        found = connection.execute(_SEARCH, [query, k, mode]).fetchone()
        assert found is not None
        assert found[0] == k
