"""How far the token table is from the model, on query texts that were in no fit, and what it costs.

The data sets are looked for in the folder `shared/data` beside the checkout; those that are missing are left out.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
from embed import Silent
from measuring import against, say
from numpy.typing import NDArray
from pgvector.psycopg import register_vector
from scipy.stats import spearmanr
from serving import SCHEMA, Connection, serving

from pgaudience.database import open_space
from pgaudience.distilling import distill
from pgaudience.embedding.embed import embed_pending
from pgaudience.embedding.provider import Provider
from pgaudience.embedding.registry import DEFAULT_MODEL, provider_for
from pgaudience.loading.load import load
from pgaudience.reading import Columns, Rejects, open_source
from pgaudience.refresh import refresh

HERE = Path(__file__).parent
SHARED = HERE.parent.parent / "shared" / "data"
DATA = {
    "places": HERE.parent / "examples" / "places.json",
    "completejourney": SHARED / "completejourney" / "events.csv.gz",
    "online-retail": SHARED / "online-retail" / "events.csv.gz",
    "instacart-sample": SHARED / "instacart-sample" / "events.csv.gz",
}
TARGETS = {
    "cosine": 0.90,
    "search_entries_overlap_at_20": 0.70,
    "search_users_overlap_at_20": 0.80,
    "spearman_over_entries": 0.90,
}
K = 20
TEN_WORDS = "people who like to spend warm evenings with old friends"
REPEATS = 200

_SEEN = """
select q
from unnest(%s::text[]) q
where query_source(q) <> 'approximate' or exists (select from training_texts t where lower(t.text) = lower(q))
"""
_ENTRIES = "select entry from search_entries(%s, k => %s)"
_USERS = "select user_id from search_users(%s, k => %s)"
_ALL = "select 1 - (embedding <=> %s) from entry_vectors order by entry_key"


def run(*, small: bool) -> dict[str, Any]:
    """Fit a token table for each data set and compare; `small` takes the toy places alone."""
    provider = provider_for(DEFAULT_MODEL)
    names = ["places"] if small else list(DATA)
    return {"data": {name: _measure(name, provider) for name in names}}


def _measure(name: str, provider: Provider) -> dict[str, Any]:
    if not DATA[name].exists():
        return {"left_out": "the data set is not at hand"}
    say(name)
    with serving() as server, server.connect() as connection:
        register_vector(connection)
        with Rejects() as rejects, open_source(DATA[name], format=None, columns=Columns(), rejects=rejects) as source:
            load(connection, [source])
        embed_pending(connection, provider, Silent())
        refresh(connection)
        started = time.perf_counter()
        tokens = distill(connection, open_space(connection, SCHEMA), provider)
        seconds = time.perf_counter() - started
        size = connection.execute(
            "select pg_total_relation_size('tokens') + pg_total_relation_size('token_layers')"
        ).fetchone()
        return {
            **_quality(connection, name, provider),
            "tokens": tokens,
            "fit_seconds": round(seconds, 1),
            "table_megabytes": round(size[0] / 1e6, 1) if size else None,
            "milliseconds_for_ten_words": round(_milliseconds(connection), 2),
        }


def _quality(connection: Connection, name: str, provider: Provider) -> dict[str, Any]:
    queries = (HERE / "queries" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    seen = {row[0] for row in connection.execute(_SEEN, [queries]).fetchall()}
    queries = [query for query in queries if query not in seen]
    exact = provider.embed_queries(queries)
    rows = [_compare(connection, query, vector) for query, vector in zip(queries, exact, strict=True)]
    means = {
        metric: against(statistics.fmean(row[metric] for row in rows), target, at_least=True)
        for metric, target in TARGETS.items()
    }
    return {"queries": len(queries), "queries_in_the_fit_left_out": sorted(seen), **means}


def _compare(connection: Connection, query: str, exact: NDArray[np.float32]) -> dict[str, float]:
    found = connection.execute("select embed(%s)", [query]).fetchone()
    assert found
    approximate = found[0]
    both = (approximate, exact)
    scores = [[row[0] for row in connection.execute(_ALL, [vector])] for vector in both]
    entries = [{row[0] for row in connection.execute(_ENTRIES, [vector, K])} for vector in both]
    users = [{row[0] for row in connection.execute(_USERS, [vector, K])} for vector in both]
    return {
        "cosine": float(np.dot(approximate.to_numpy(), exact)),
        "search_entries_overlap_at_20": len(entries[0] & entries[1]) / len(entries[1]),
        "search_users_overlap_at_20": len(users[0] & users[1]) / len(users[1]),
        "spearman_over_entries": float(spearmanr(*scores).statistic),
    }


def _milliseconds(connection: Connection) -> float:
    """Return the median of `embed` for ten words, warm, on one connection."""
    taken: list[float] = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        connection.execute("select embed(%s)", [TEN_WORDS]).fetchone()
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)
