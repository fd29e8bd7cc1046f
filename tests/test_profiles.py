"""User vectors and rankings against numpy, on real activity with real vectors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray

from conftest import Cluster, connect, shared
from pgaudience.database import open_space
from pgaudience.embedding.registry import measure
from pgaudience.installing import migrate
from pgaudience.loading.load import load
from pgaudience.pipeline import embed_query, embed_space
from pgaudience.reading import Columns, Rejects, open_source
from pgaudience.refresh import refresh
from pgaudience.resources import folder

pytestmark = pytest.mark.slow

WEIGHTINGS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "log": np.log1p,
    "frequency": lambda frequency: frequency,
    "sqrt": np.sqrt,
    "binary": np.ones_like,
}

QUERIES = ("winter sports", "coffee and snacks")


def activity_of(name: str) -> Path:
    if name in ("places.json", "retail.csv.gz"):
        return folder("examples") / name
    return shared(f"{name}/events.csv.gz")


@pytest.fixture(scope="module", params=["places.json", "retail.csv.gz", "completejourney", "instacart-sample"])
def data(request: pytest.FixtureRequest, cluster18: Cluster) -> str:
    """A space that holds a real data set, embedded with the real model."""
    return real_space(cluster18, request.param)


def real_space(cluster: Cluster, name: str) -> str:
    path = activity_of(name)

    def fill(url: str) -> None:
        migrate(url, "audience", model=None, weighting=None, measure=measure)
        with connect(url) as connection:
            space = open_space(connection, "audience")
            load(connection, [open_source(path, format=None, columns=Columns(), rejects=Rejects())])
            embed_space(connection, space, None)
            for query in QUERIES:
                embed_query(connection, space, query, None)

    return cluster.clone(f"real_{name.split('.')[0]}", fill)


def columns(connection: psycopg.Connection, query: str) -> list[NDArray]:
    return [np.array(column) for column in zip(*connection.execute(query), strict=True)]


def numpy_profiles(connection: psycopg.Connection, weighting: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """User keys, ascending, and their vectors, in double precision: the weighted sum of entry vectors, normalised."""
    keys, vectors = columns(connection, "select entry_key, embedding::real[] from entry_vectors order by 1")
    users, entries, frequencies = columns(connection, "select user_key, entry_key, frequency from activity")
    rows = np.searchsorted(keys, entries)
    user_keys, positions = np.unique(users, return_inverse=True)
    sums = np.zeros((len(user_keys), vectors.shape[1]))
    np.add.at(sums, positions, vectors[rows] * WEIGHTINGS[weighting](frequencies)[:, np.newaxis])
    return user_keys, sums / np.linalg.norm(sums, axis=1, keepdims=True)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_user_vectors_are_the_weighted_mean(data: str, weighting: str) -> None:
    with connect(data) as connection:
        connection.execute("update space set weighting = %s", [weighting])
        refresh(connection)
        expected_keys, expected = numpy_profiles(connection, weighting)
        keys, vectors = columns(connection, "select user_key, embedding::real[] from user_vectors order by 1")
        assert np.array_equal(keys, expected_keys)
        assert np.abs(vectors - expected).max() <= 1e-6
        check_ranking(connection, expected_keys, expected)
        check_explanations(connection)


def check_ranking(connection: psycopg.Connection, keys: NDArray[np.int64], profiles: NDArray[np.float64]) -> None:
    names = dict(connection.execute("select user_key, user_id from users").fetchall())
    for query in QUERIES:
        ((embedding,),) = connection.execute("select embed(%s)::real[]", [query]).fetchall()
        scores = profiles @ np.asarray(embedding, dtype=np.float64)
        k = min(50, len(keys))
        found = connection.execute("select user_id, score from search_users(%s, k => %s, mode => 'mean')", [query, k])
        ids, given = zip(*found, strict=True)
        by_name = {names[key]: score for key, score in zip(keys.tolist(), scores.tolist(), strict=True)}
        assert len(set(ids)) == k
        assert np.allclose(given, np.sort(scores)[::-1][:k], atol=2e-6)
        assert np.allclose(given, [by_name[user] for user in ids], atol=2e-6)


def check_explanations(connection: psycopg.Connection) -> None:
    people = connection.execute("select user_id from user_vectors order by user_key limit 20").fetchall()
    for (user,) in people:
        ((total, cosine),) = connection.execute(
            "select (select sum(contribution) from explain_match(%s, %s)),"
            " (select 1 - (embedding <=> embed(%s)) from user_vectors where user_id = %s)",
            [user, QUERIES[0], QUERIES[0], user],
        ).fetchall()
        assert total == pytest.approx(cosine, abs=1e-5)
