"""What is said about the quality of segments against scikit-learn, on the same vectors and the same labels."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pgvector import Vector
from pgvector.psycopg import register_vector
from sklearn import metrics
from sklearn.cluster import KMeans

from conftest import Cluster, connect, migrate_toy
from pgaudience.refresh import refresh
from test_profiles import columns, real_space

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


@pytest.mark.parametrize("points, dimensions, k, seed", [(200, 8, 5, 0), (60, 3, 2, 1), (40, 16, 12, 2)])
def test_judging_as_scikit_learn_does(space: str, points: int, dimensions: int, k: int, seed: int) -> None:
    vectors, labels = clumps(points, dimensions, k, seed)
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


coordinates = st.tuples(st.integers(-3, 3), st.integers(-3, 3))


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(members=st.lists(st.tuples(coordinates, st.integers(0, 3)), min_size=3, max_size=12))
def test_judging_any_points(space: str, members: list[tuple[tuple[int, int], int]]) -> None:
    vectors, labels = (np.array(side) for side in zip(*members, strict=True))
    assume(2 <= len(np.unique(labels)) < len(labels))
    with connect(space) as connection:
        _, _, davies_bouldin, calinski_harabasz, silhouettes = judged(connection, vectors, labels)
    assert silhouettes == pytest.approx(metrics.silhouette_samples(vectors, labels).tolist(), **EXACT)

    centroids = [vectors[labels == label].mean(axis=0) for label in np.unique(labels)]
    if min(np.linalg.norm(a - b) for a, b in combinations(centroids, 2)) > 1e-3:
        assert davies_bouldin == pytest.approx(metrics.davies_bouldin_score(vectors, labels), **EXACT)
    if any(len(np.unique(vectors[labels == label], axis=0)) > 1 for label in labels):
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
        assert connection.execute("select * from judge_clusters(null, null)").fetchone() == (None,) * 5


def test_points_in_one_place(space: str) -> None:
    with connect(space) as connection:
        assert judged(connection, np.ones((4, 3)), np.array([1, 1, 2, 2])) == [0, 0, 0, 1, [0, 0, 0, 0]]


def test_arrays_that_do_not_fit(space: str) -> None:
    with connect(space) as connection, pytest.raises(psycopg.errors.InvalidParameterValue, match="same length"):
        judged(connection, np.eye(3), np.array([1, 2]))


@pytest.mark.parametrize(
    "query",
    [
        "select distance_rows(array_fill('[1]'::vector, array[16001]))",
        "select * from judge_clusters(array_fill('[1]'::vector, array[16001]), array_fill(1::bigint, array[16001]))",
        "select * from compare_k(sample_size => 16001)",
        "select * from run_quality(1, sample_size => 16001)",
        "select * from entry_label_silhouette('kind', sample_size => 16001)",
    ],
)
def test_too_many_points(toy: str, query: str) -> None:
    with connect(toy) as connection, pytest.raises(psycopg.errors.InvalidParameterValue, match="not 16001"):
        connection.execute("insert into segment_assignments values (1, 1, 1, 1)")
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


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=12))
def test_agreement_of_any_partitions(space: str, pairs: list[tuple[int, int]]) -> None:
    a, b = (list(side) for side in zip(*pairs, strict=True))
    with connect(space) as connection:
        assert agreement(connection, a, b) == pytest.approx(expected_agreement(a, b), abs=1e-9)


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


@pytest.fixture(scope="module")
def retail(cluster18: Cluster) -> str:
    """The bundled shop, whose customers scikit-learn has cut into segments 10 to 80, and a number of most known."""
    url = real_space(cluster18, "retail.csv.gz")
    with connect(url) as connection:
        refresh(connection)
        keys, vectors = columns(connection, "select user_key, embedding::real[] from user_vectors order by 1")
        labels = KMeans(8, n_init=1, random_state=0).fit_predict(vectors)
        connection.execute("insert into segmentations (segmentation) values ('interests')")
        connection.execute(
            "insert into segmentation_runs"
            " (segmentation, method, k, parameters, warm_start, users, iterations, inertia)"
            " values ('interests', 'kmeans', 8, '{}', false, %s, 1, 0)",
            [len(keys)],
        )
        connection.execute(
            "insert into segment_assignments (run_id, user_key, segment_id, similarity)"
            " select 1, m.user_key, m.segment_id, 1 from unnest(%s::bigint[], %s::bigint[]) m (user_key, segment_id)",
            [keys.tolist(), (labels * 10 + 10).tolist()],
        )
        connection.execute(
            "insert into run_segments (run_id, segment_id, name, users, share, cohesion, centroid)"
            " select 1, segment_id, 'Segment ' || segment_id, count(*), 0, 1, avg(embedding)"
            " from segment_assignments join user_vectors using (user_key) group by segment_id"
        )
        connection.execute("update segmentations set published_run_id = 1")
        connection.execute(
            "update users set attributes = jsonb_build_object('tenth', user_key % 10) where user_key > 50"
        )
    return url


SEGMENTED = """
select user_key, user_id, segment_id, embedding::real[]
from segment_assignments
join user_vectors using (user_key)
order by segment_id, user_id
"""


def test_the_quality_of_segments(retail: str) -> None:
    with connect(retail) as connection:
        _, users, labels, vectors = columns(connection, SEGMENTED)
        overall, *segments = connection.execute("select * from segment_quality('interests', 300)").fetchall()
        members = connection.execute("select * from member_silhouettes('interests', 300)").fetchall()
    sampled = np.array([silhouette is not None for _, _, silhouette, _ in members])
    exact = metrics.silhouette_samples(vectors[sampled], labels[sampled])
    simplified = np.array([row[3] for row in members])

    assert [row[0] for row in members] == users.tolist()
    assert sampled.sum() == 300
    assert [row[2] for row in members if row[2] is not None] == pytest.approx(exact.tolist(), **EXACT)

    assert overall[:3] == (None, None, len(users))
    assert overall[5:] == pytest.approx(
        (
            exact.mean(),
            simplified.mean(),
            metrics.davies_bouldin_score(vectors, labels),
            metrics.calinski_harabasz_score(vectors, labels),
        ),
        **EXACT,
    )
    assert [row[0] for row in segments] == [10, 20, 30, 40, 50, 60, 70, 80]
    for segment_id, name, size, inertia, cohesion, silhouette, simple, _, nothing in segments:
        of_it = vectors[labels == segment_id]
        center = of_it.mean(axis=0)
        assert (name, size, nothing) == (f"Segment {segment_id}", len(of_it), None)
        assert inertia == pytest.approx(((of_it - center) ** 2).sum(), **EXACT)
        assert cohesion == pytest.approx((of_it @ center / np.linalg.norm(center)).mean(), **EXACT)
        sample = exact[labels[sampled] == segment_id]
        assert silhouette == (pytest.approx(sample.mean(), **EXACT) if len(sample) else None)
        assert simple == pytest.approx(simplified[labels == segment_id].mean(), **EXACT)
    assert np.mean([row[7] for row in segments]) == pytest.approx(overall[7])


def test_agreement_with_an_attribute(retail: str) -> None:
    with connect(retail) as connection:
        keys, labels = columns(connection, "select user_key, segment_id from segment_assignments where user_key > 50")
        found = connection.execute("select * from label_agreement('interests', 'tenth')").fetchone()
    assert found == pytest.approx((*expected_agreement((keys % 10).tolist(), labels.tolist()), len(keys)), abs=1e-9)


# Choosing k


def test_the_k_that_is_there(space: str) -> None:
    """Four clumps of users are found by every measure, and the same call says the same again."""
    random = np.random.default_rng(0)
    centers = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, 0, 0]])
    fill(space, np.repeat(centers, 25, axis=0) + random.normal(scale=0.1, size=(100, 3)))
    query = (
        "select k, inertia, silhouette, simplified_silhouette, davies_bouldin, calinski_harabasz, stability"
        " from compare_k(k_max => 6)"
    )
    with connect(space) as connection:
        found = connection.execute(query).fetchall()
        assert connection.execute(query).fetchall() == found
    ks, inertia, silhouette, simplified, davies_bouldin, calinski_harabasz, stability = np.array(found).T
    assert ks.tolist() == [2, 3, 4, 5, 6]
    assert (np.diff(inertia) < 0).all()
    for highest in (silhouette, simplified, -davies_bouldin, calinski_harabasz, stability):
        assert highest.argmax() == 2
    assert stability[2] == pytest.approx(1)


def test_a_filter_of_few_users(space: str) -> None:
    fill(space, np.random.default_rng(0).normal(size=(30, 3)))
    with connect(space) as connection:
        connection.execute("""update users set attributes = '{"country": "Spain"}' where user_key <= 10""")
        found = connection.execute("""select k from compare_k(filter => '{"country": "Spain"}')""").fetchall()
    assert [k for (k,) in found] == [2, 3, 4, 5, 6, 7, 8, 9]


# Outliers


def fill(url: str, vectors: NDArray) -> None:
    """Make users u1, u2 … of these vectors: each has one entry of its own."""
    with connect(url) as connection:
        register_vector(connection)
        connection.execute(
            "insert into users (user_id) select 'u' || n from generate_series(1, %s) n order by n", [len(vectors)]
        )
        connection.execute(
            "insert into entries (entry) select 'e' || n from generate_series(1, %s) n order by n", [len(vectors)]
        )
        connection.execute(
            "insert into entry_vectors (entry_key, embedding)"
            " select n, l2_normalize(v) from unnest(%s::vector[]) with ordinality u (v, n)",
            [[Vector(vector) for vector in vectors]],
        )
        connection.execute(
            "insert into activity (user_key, entry_key, frequency) select user_key, user_key, 1 from users"
        )
        refresh(connection)


@pytest.fixture
def wide(cluster: Cluster) -> str:
    """An empty space of 16 dimensions."""
    return cluster.clone("wide", lambda url: migrate_toy(url, dimensions=16))


@pytest.mark.slow
def test_planted_outliers(wide: str) -> None:
    """Strangers are found among users in clumps of all sizes."""
    random = np.random.default_rng(0)
    centers = np.repeat(random.normal(size=(5, 16)), [600, 300, 150, 60, 60], axis=0)
    users = centers + random.normal(scale=0.2, size=centers.shape)
    strangers = random.normal(size=(12, 16))
    fill(wide, np.concatenate([strangers, users]))
    with connect(wide) as connection:
        found = connection.execute("select * from find_outliers(fraction => 0.01)").fetchall()
        again = connection.execute("select * from find_outliers(fraction => 0.01)").fetchall()
    assert found == again
    assert {key for *_, key in found} == set(range(1, 13))
    assert [rank for rank, *_ in found] == list(range(1, 13))
    assert {user for _, user, *_ in found} == {f"u{n}" for n in range(1, 13)}
    assert min(score for _, _, score, *_ in found) > 3.5
    distances = [distance for _, _, _, distance, *_ in found]
    assert distances == sorted(distances, reverse=True)
    assert all(similarity < 0.9 for _, _, _, _, similarity, _ in found)


def test_outliers_among_few(space: str) -> None:
    fill(space, np.array([[1, 0, 0], [1, 0.1, 0], [1, 0, 0.1], [-1, 0, 0]]))
    with connect(space) as connection:
        for centered, similarity in ((True, -0.991), (False, -0.997)):
            query = "select user_id, similarity from find_outliers(centered => %s)"
            found = connection.execute(query, [centered]).fetchall()
            assert found == [("u4", pytest.approx(similarity, abs=1e-3))]


def test_outliers_of_a_filter(space: str) -> None:
    fill(space, np.array([[1, 0, 0], [1, 0.1, 0], [0, 1, 0], [-1, 0, 0]]))
    query = "select user_id from find_outliers(filter => %s)"
    with connect(space) as connection:
        connection.execute("""update users set attributes = '{"country": "Spain"}' where user_key < 4""")
        assert connection.execute(query, ['{"country": "Spain"}']).fetchall() == [("u3",)]
        assert connection.execute(query, ['{"country": "Italy"}']).fetchall() == []
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="JSON object"):
            connection.execute(query, ['"Spain"'])


def test_users_all_alike_are_no_outliers(space: str) -> None:
    fill(space, np.ones((4, 3)))
    query = "select score from find_outliers(1, centered => false)"
    with connect(space) as connection:
        assert {score for (score,) in connection.execute(query)} == {0}


# Labels of entries


def test_how_well_vectors_separate_labels(wide: str) -> None:
    vectors, labels = clumps(300, 16, 4, 0)
    fill(wide, vectors)
    with connect(wide) as connection:
        connection.execute(
            "update entries set attributes = jsonb_build_object('kind', 'kind ' || (%s::bigint[])[entry_key])",
            [labels.tolist()],
        )
        (nothing, count, overall), *kinds = connection.execute(
            "select * from entry_label_silhouette('kind')"
        ).fetchall()
        sampled = connection.execute(
            "select sum(entries) from entry_label_silhouette('kind', 50) where value is not null"
        )
        assert sampled.fetchone() == (50,)
    expected = metrics.silhouette_samples(vectors, labels, metric="cosine")
    assert (nothing, count, overall) == (None, 300, pytest.approx(expected.mean(), **EXACT))
    assert kinds == [
        (f"kind {label}", (labels == label).sum(), pytest.approx(expected[labels == label].mean(), **EXACT))
        for label in range(4)
    ]
