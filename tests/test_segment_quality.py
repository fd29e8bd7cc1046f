"""What is said about the quality of segments against scikit-learn, on the same vectors and the same labels."""

from __future__ import annotations

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray
from pgvector import Vector
from pgvector.psycopg import register_vector
from sklearn import metrics

from conftest import connect

EXACT = {"rel": 1e-3, "abs": 1e-3}


def clumps(points: int, dimensions: int, clusters: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Unit vectors in clumps of uneven size, shape (points, dimensions), and the clump of each."""
    random = np.random.default_rng(seed)
    labels = np.sort(random.integers(0, clusters, points) * random.integers(0, 2, points))
    vectors = random.normal(size=(clusters, dimensions))[labels] + random.normal(size=(points, dimensions))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), labels


def judged(connection: psycopg.Connection, vectors: NDArray, labels: NDArray, distances: str = "null") -> list:
    register_vector(connection)
    query = f"select j.* from (select %s::vector[] as p, %s::bigint[] as l) i, judge_clusters(i.p, i.l, {distances}) j"
    return list(connection.execute(query, [[Vector(v) for v in vectors], labels.tolist()]).fetchone() or ())


# An array of points


@pytest.mark.parametrize("points, dimensions, clusters, seed", [(200, 8, 5, 0), (60, 3, 2, 1), (40, 16, 12, 2)])
def test_judging_as_scikit_learn_does(space: str, points: int, dimensions: int, clusters: int, seed: int) -> None:
    vectors, labels = clumps(points, dimensions, clusters, seed)
    labels[-1] = 99
    with connect(space) as connection:
        silhouette, _, davies_bouldin, calinski_harabasz, silhouettes = judged(connection, vectors, labels)
        by_cosine = judged(connection, vectors, labels, "distance_rows(i.p, 'cosine')")[0]
    assert silhouette == pytest.approx(metrics.silhouette_score(vectors, labels), **EXACT)
    assert silhouettes == pytest.approx(metrics.silhouette_samples(vectors, labels).tolist(), **EXACT)
    assert silhouettes[-1] == 0
    assert by_cosine == pytest.approx(metrics.silhouette_score(vectors, labels, metric="cosine"), **EXACT)
    assert davies_bouldin == pytest.approx(metrics.davies_bouldin_score(vectors, labels), **EXACT)
    assert calinski_harabasz == pytest.approx(metrics.calinski_harabasz_score(vectors, labels), **EXACT)


def test_the_simplified_silhouette(space: str) -> None:
    vectors, labels = clumps(100, 4, 3, 3)
    centroids = np.array([vectors[labels == label].mean(axis=0) for label in np.unique(labels)])
    distances = np.linalg.norm(vectors[:, np.newaxis] - centroids, axis=2)
    own = np.unique(labels)[np.newaxis] == labels[:, np.newaxis]
    a, b = distances[own], np.where(own, np.inf, distances).min(axis=1)
    with connect(space) as connection:
        assert judged(connection, vectors, labels)[1] == pytest.approx(((b - a) / np.maximum(a, b)).mean(), **EXACT)


def test_one_cluster_is_not_judged(space: str) -> None:
    with connect(space) as connection:
        assert judged(connection, np.eye(3), np.array([7, 7, 7])) == [None] * 5
        assert judged(connection, np.zeros((0, 3)), np.array([])) == [None] * 5


def test_points_in_one_place(space: str) -> None:
    with connect(space) as connection:
        assert judged(connection, np.ones((4, 3)), np.array([1, 1, 2, 2])) == [0, 0, 0, 1, [0, 0, 0, 0]]


def test_arrays_that_do_not_fit(space: str) -> None:
    with connect(space) as connection, pytest.raises(psycopg.errors.InvalidParameterValue, match="same length"):
        judged(connection, np.eye(3), np.array([1, 2]))


def test_too_many_points(space: str) -> None:
    query = "select distance_rows(array_fill('[1]'::vector, array[16001]))"
    with connect(space) as connection, pytest.raises(psycopg.errors.InvalidParameterValue, match="16001 points"):
        connection.execute(query)


# Two partitions


def agreement(connection: psycopg.Connection, *arrays: list) -> tuple:
    places = ", ".join(["%s::bigint[]"] * len(arrays))
    return connection.execute(f"select * from partition_agreement({places})", arrays).fetchone() or ()


def expected_agreement(a: list[int], b: list[int]) -> tuple[float, float, float]:
    return (
        float(metrics.adjusted_rand_score(a, b)),
        float(metrics.normalized_mutual_info_score(a, b)),
        float(metrics.homogeneity_score(a, b)),
    )


def test_agreement_as_scikit_learn_has_it(space: str) -> None:
    random = np.random.default_rng(0)
    with connect(space) as connection:
        for most, points in [(1, 2), (1, 3), (2, 2), (2, 9), (3, 1), (4, 50), (40, 50), (12, 3000)]:
            a, b = (random.integers(0, most, points).tolist() for _ in range(2))
            assert agreement(connection, a, b) == pytest.approx(expected_agreement(a, b), abs=1e-9)
            assert agreement(connection, a, a) == pytest.approx((1, 1, 1))


def test_agreement_of_a_contingency_table(space: str) -> None:
    with connect(space) as connection:
        found = agreement(connection, [1, 1, 2, 2], [5, 6, 5, 6], [3, 1, 0, 4])
        assert found == pytest.approx(expected_agreement([1] * 4 + [2] * 4, [5] * 3 + [6] * 5))


def test_agreement_leaves_out_what_is_on_one_side(space: str) -> None:
    with connect(space) as connection:
        found = agreement(connection, [1, 1, 2, 2, None, 7], [5, 6, 6, 6, 5, None])
        assert found == pytest.approx(expected_agreement([1, 1, 2, 2], [5, 6, 6, 6]))
        assert agreement(connection, [None], [1]) == (None, None, None)


# Segmentations


def test_a_segmentation_that_is_not_there(toy: str) -> None:
    with connect(toy) as connection:
        with pytest.raises(psycopg.errors.NoDataFound, match="call build_segmentation"), connection.transaction():
            connection.execute("select published_run('tastes')")
        connection.execute("insert into segmentations (segmentation) values ('interests'), ('age')")
        with pytest.raises(psycopg.errors.NoDataFound, match="There are: age, interests"), connection.transaction():
            connection.execute("select published_run('tastes')")
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="is published"):
            connection.execute("select published_run('age')")
