"""Searches through an HNSW index find whom an exact scan finds, also where many vectors are equal."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray
from pgvector.psycopg import register_vector

from conftest import Cluster, connect, migrate_toy
from pgaudience.database import open_space
from pgaudience.indexing import create_indexes
from pgaudience.refresh import refresh
from test_profiles import QUERIES, real_space

K = 100
CLOSE = 1e-6

Ask = tuple[str, list[object]]


def one_entry_each(url: str, vectors: NDArray[np.float64]) -> None:
    """Fill a space with users of one entry: the entry's vector is theirs."""
    with connect(url) as connection:
        register_vector(connection)
        with connection.cursor().copy("copy entries (entry_key, entry) from stdin") as rows:
            for number in range(1, len(vectors) + 1):
                rows.write_row([number, f"e{number}"])
        with connection.cursor().copy(
            "copy entry_vectors (entry_key, embedding) from stdin with (format binary)"
        ) as rows:
            rows.set_types(["int8", "vector"])
            for number, vector in enumerate(vectors, start=1):
                rows.write_row([number, (vector / np.linalg.norm(vector)).astype(np.float32)])
        connection.execute("insert into users (user_id) select 'u' || n from generate_series(1, %s) n", [len(vectors)])
        connection.execute(
            "insert into activity (user_key, entry_key, frequency)"
            " select user_key, user_key, 1 + user_key %% 7 from users where true or %s",
            [True],
        )
        refresh(connection)


def axes(random: np.random.Generator) -> NDArray[np.float64]:
    """3,000 users of one kind beside 3,001 others, in three dimensions."""
    return np.vstack(
        [np.tile([1.0, 0, 0], (3000, 1)), np.array([1, 0.3, 0]) + random.normal(scale=0.3, size=(3001, 3))]
    )


def crowd(random: np.random.Generator) -> NDArray[np.float64]:
    """5,000 users in 16 dimensions, of whom 2,000 are one kind."""
    vectors = random.normal(size=(5_000, 16))
    vectors[:2000] = vectors[0]
    return vectors


def recall(connection: psycopg.Connection, asks: list[Ask]) -> float:
    """The share of the rows of answers, as the index gives them, that are as good as the last of the exact answer."""
    shares = []
    for query, arguments in asks:
        connection.execute("set enable_indexscan = on")
        found = [score for (score,) in connection.execute(query.encode(), arguments)]
        connection.execute("set enable_indexscan = off")
        exact = [score for (score,) in connection.execute(query.encode(), arguments)]
        assert len(found) == len(exact)
        shares.append(np.mean(np.array(found) >= min(exact) - CLOSE))
    return float(np.mean(shares))


def asks_of(connection: psycopg.Connection, vectors: list[object], people: list[str]) -> dict[str, list[Ask]]:
    return {
        "search_users": [
            ("select score from search_users(%s, k => %s, mode => 'mean')", [vector, K]) for vector in vectors
        ],
        "search_entries": [("select similarity from search_entries(%s, k => %s)", [vector, K]) for vector in vectors],
        "similar_users": [("select similarity from similar_users(%s, k => %s)", [person, K]) for person in people],
        "lookalikes": [
            ("select similarity from lookalikes(%s, k => %s)", [[person, other], K])
            for person, other in pairwise(people)
        ],
    }


@pytest.mark.slow
@pytest.mark.parametrize("make", [axes, crowd])
def test_equal_vectors_do_not_crowd_out_nearer_ones(
    cluster18: Cluster, make: Callable[[np.random.Generator], NDArray[np.float64]]
) -> None:
    random = np.random.default_rng(0)
    vectors = make(random)
    url = cluster18.clone(f"indexed_{make.__name__}", lambda url: _fill(url, vectors))
    queries: list[object] = [*random.normal(size=(12, vectors.shape[1])).astype(np.float32)]
    if make is axes:
        queries.append(np.array([1, 0.3, 0], np.float32))
    with connect(url) as connection:
        register_vector(connection)
        people = [f"u{number}" for number in random.integers(1, len(vectors), 8)]
        for name, asks in asks_of(connection, queries, people).items():
            assert recall(connection, asks) >= 0.98, name


def _fill(url: str, vectors: NDArray[np.float64]) -> None:
    migrate_toy(url, dimensions=vectors.shape[1])
    one_entry_each(url, vectors)
    with connect(url) as connection:
        create_indexes(connection, open_space(connection, "audience"), url)
        connection.execute("analyze")


@pytest.mark.slow
def test_recall_on_real_people(cluster18: Cluster) -> None:
    url = real_space(cluster18, "completejourney")
    with connect(url) as connection:
        refresh(connection)
        create_indexes(connection, open_space(connection, "audience"), url)
        register_vector(connection)
        connection.execute("set enable_seqscan = off")
        vectors = [connection.execute("select embed(%s)", [query]).fetchone()[0] for query in QUERIES]  # type: ignore[index]
        people = [user for (user,) in connection.execute("select user_id from user_vectors order by user_key limit 12")]
        for name, asks in asks_of(connection, vectors, people).items():
            assert recall(connection, asks) >= 0.98, name
