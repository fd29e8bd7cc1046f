"""Segmentations: the segments scikit-learn finds, ids that last, and what readers see of a rebuild."""

from __future__ import annotations

import threading
import time

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray
from pgvector import Vector
from pgvector.psycopg import register_vector
from scipy.cluster.hierarchy import linkage
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.metrics import adjusted_rand_score

from conftest import Cluster, connect
from pgaudience.refresh import refresh
from test_profiles import columns, real_space
from test_segment_quality import fill

MEMBERS = "select user_id, segment_id from segment_members where segmentation = %s order by user_id"
VECTORS = {
    True: "select user_id, embedding::real[] from centered_user_vectors order by user_id",
    False: "select user_id, embedding::real[] from user_vectors order by user_id",
}


def clumps(sizes: list[int], seed: int = 0, dimensions: int = 3) -> NDArray[np.float64]:
    """Unit vectors around as many axes, shape (sum of sizes, dimensions)."""
    random = np.random.default_rng(seed)
    centers = np.repeat(np.vstack([np.eye(dimensions), -np.eye(dimensions)])[: len(sizes)], sizes, axis=0)
    return centers + random.normal(scale=0.1, size=centers.shape)


def build(connection: psycopg.Connection, name: str, **arguments: object) -> int:
    """Call build_segmentation and return the number of the run."""
    register_vector(connection)
    given = "".join(f", {argument} => %({argument})s" for argument in arguments)
    given = given.replace("%(initial_centroids)s", "%(initial_centroids)s::vector[]")
    query = f"call build_segmentation(%(name)s{given})"
    found = connection.execute(query.encode(), {"name": name, **arguments}).fetchone()
    connection.commit()
    assert found is not None
    return found[0]


def members(connection: psycopg.Connection, name: str) -> dict[str, int]:
    """Return the segment_id of every user."""
    return dict(connection.execute(MEMBERS, [name]).fetchall())


# The clustering


@pytest.fixture(scope="module", params=["places.json", "retail.csv.gz"])
def real(request: pytest.FixtureRequest, cluster18: Cluster) -> str:
    url = real_space(cluster18, request.param)
    with connect(url) as connection:
        refresh(connection)
    return url


@pytest.mark.slow
@pytest.mark.parametrize(
    "iterations, tolerance, centered", [(1, 0.0, True), (3, 0.0, True), (50, 1e-4, True), (50, 1e-4, False)]
)
def test_kmeans_is_that_of_scikit_learn(real: str, iterations: int, tolerance: float, centered: bool) -> None:
    with connect(real) as connection:
        users, vectors = columns(connection, VECTORS[centered])
        start = vectors[:: max(len(vectors) // 7, 1)][:7]
        expected = KMeans(len(start), init=start, n_init=1, max_iter=iterations, tol=tolerance).fit(vectors)
        run = build(
            connection, "same", initial_centroids=[Vector(v) for v in start], max_iterations=iterations,
            tolerance=tolerance, warm_start=False, centered=centered,
        )  # fmt: skip
        found = members(connection, "same")
        inertia, rounds = connection.execute(
            "select inertia, iterations from segmentation_runs where run_id = %s", [run]
        ).fetchone() or (0, 0)
    assert rounds == expected.n_iter_
    assert inertia == pytest.approx(expected.inertia_, rel=1e-4)
    assert adjusted_rand_score([found[user] for user in users], expected.labels_) == 1


@pytest.mark.slow
def test_the_same_seed_gives_the_same_segments(real: str) -> None:
    with connect(real) as connection:
        build(connection, "once", seed=3)
        build(connection, "twice", seed=3)
        assert members(connection, "once") == members(connection, "twice")


def test_many_users_have_two_rounds_after_a_sample(space: str) -> None:
    """More than twice what the sample needs: k-means converges on it; without a sample, on all users."""
    fill(space, clumps([1000, 900]) + np.random.default_rng(1).normal(scale=0.4, size=(1900, 3)))
    runs = "select iterations, inertia, users, churn from segmentation_runs where run_id = %s"
    with connect(space) as connection:
        users, vectors = columns(connection, VECTORS[True])
        start = [Vector(v) for v in vectors[:2]]
        exact = build(connection, "exact", k=2, sample_size=None, tolerance=0)
        sampled = build(connection, "sampled", k=2, sample_size=800, tolerance=0)
        given = build(connection, "given", initial_centroids=start, sample_size=800, tolerance=0)
        build(connection, "again", k=2, sample_size=800, tolerance=0)
        expected = KMeans(2, init=vectors[:2], n_init=1, tol=0).fit(vectors)
        for run in (exact, sampled, given):
            rounds, inertia, placed, _ = connection.execute(runs, [run]).fetchone() or (0, 0, 0, 0)
            assert placed == len(users) == 1900
            assert rounds <= 2 or run == exact
            assert inertia == pytest.approx(expected.inertia_, rel=1e-3)
        assert members(connection, "sampled") == members(connection, "again")
        before = members(connection, "sampled")
        rebuilt = build(connection, "sampled", k=2, sample_size=800, tolerance=0)
        assert (connection.execute(runs, [rebuilt]).fetchone() or ())[3] < 0.01
        moved = sum(before[user] != segment for user, segment in members(connection, "sampled").items())
        assert moved < 19
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="sample_size"):
            build(connection, "tree", method="agglomerative", sample_size=None)


def test_centroids_that_fit_a_sample_are_told_from_those_that_do_not(space: str) -> None:
    fill(space, clumps([1000, 900]))
    query = "select fits_sample(%s::vector[], embeddings) from sample_users(500)"
    with connect(space) as connection:
        _, vectors = columns(connection, VECTORS[True])
        means = KMeans(2, init=vectors[:2], n_init=1, tol=0).fit(vectors).cluster_centers_
        register_vector(connection)
        assert connection.execute(query, [[Vector(v) for v in means]]).fetchone() == (True,)
        assert connection.execute(query, [[Vector(v) for v in means * 0.5]]).fetchone() == (False,)


def test_k_is_found(space: str) -> None:
    fill(space, clumps([40, 30, 20, 10]))
    with connect(space) as connection:
        build(connection, "interests")
        sizes = connection.execute("select segment_id, users, share from segments order by segment_id").fetchall()
    assert sizes == [(1, 40, 0.4), (2, 30, 0.3), (3, 20, 0.2), (4, 10, 0.1)]


def test_a_centroid_without_users_moves(space: str) -> None:
    """Two starts at one place: the second loses all its users and goes where they are farthest."""
    fill(space, clumps([20, 20, 20]))
    with connect(space) as connection:
        start = [Vector(v) for v in ([1, 0, 0], [0, 1, 0], [0, 1, 0])]
        build(connection, "interests", initial_centroids=start)
        sizes = connection.execute("select users from segments").fetchall()
    assert sizes == [(20,), (20,), (20,)]


@pytest.mark.slow
@pytest.mark.parametrize("method, centered", [("ward", True), ("average", True), ("average", False)])
def test_agglomerative_clustering_is_that_of_scikit_learn(real: str, method: str, centered: bool) -> None:
    """Of no more users than there are small clusters, each is one by itself."""
    with connect(real) as connection:
        connection.execute("update users set attributes = jsonb_build_object('few', user_key <= 150)")
        connection.commit()
        users, vectors = columns(connection, VECTORS[centered].replace("order", "where user_key <= 150 order"))
        run = build(
            connection, "tree", method="agglomerative", linkage=method, k=4, filter='{"few": true}', centered=centered
        )
        found = members(connection, "tree")
        heights = connection.execute(
            "select height from run_tree where run_id = %s and height > 0 order by node_id", [run]
        ).fetchall()
        roots = connection.execute("select count(*) from segment_tree where parent_id is null").fetchone()
    metric = "euclidean" if method == "ward" else "cosine"
    expected = AgglomerativeClustering(4, linkage=method, metric=metric).fit_predict(vectors)  # type: ignore[arg-type]
    assert adjusted_rand_score([found[user] for user in users], expected) == 1
    distances = linkage(vectors, method, metric=metric)[:, 2]
    assert np.array(heights)[:, 0] == pytest.approx(distances[distances > 1e-6], rel=1e-3, abs=1e-4)
    assert roots == (1,)


def test_small_segments_and_outliers_are_left_out(space: str) -> None:
    fill(space, clumps([50, 45, 4]))
    with connect(space) as connection:
        run = build(connection, "interests", k=3, drop_smaller_than=5)
        row = connection.execute(
            "select k, users, unassigned from segmentation_runs where run_id = %s", [run]
        ).fetchone()
        assert row == (2, 95, 4)
        assert len(members(connection, "interests")) == 95
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="fewer than 90 users"), connection.transaction():
            connection.execute("call build_segmentation('interests', k => 3, drop_smaller_than => 90)")
        run = build(connection, "typical", k=2, outlier_fraction=0.04)
        row = connection.execute("select users, outliers from segmentation_runs where run_id = %s", [run]).fetchone()
        assert row == (95, 4)


def test_a_filter(space: str) -> None:
    fill(space, clumps([30, 30]))
    with connect(space) as connection:
        connection.execute("""update users set attributes = '{"country": "Spain"}' where user_key % 3 = 0""")
        build(connection, "spain", k=2, filter='{"country": "Spain"}')
        assert len(members(connection, "spain")) == 20
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="filter"):
            build(connection, "nobody", filter='{"country": "Nowhere"}')


@pytest.mark.parametrize(
    "arguments",
    [
        "name => ' '", "name => null", "k => 0", "k => 61", "k_min => 5, k_max => 4", "method => 'magic'",
        "linkage => 'single'", "tolerance => 'NaN'", "max_churn => 2", "outlier_fraction => 1", "restarts => 0",
        "initial_centroids => '{}'", "initial_centroids => array['[1,0]'::vector]", "filter => '[]'", "seed => null",
    ],
)  # fmt: skip
def test_arguments_that_make_no_sense(space: str, arguments: str) -> None:
    fill(space, clumps([30, 30]))
    name = "" if arguments.startswith("name") else "'interests', "
    with connect(space) as connection, pytest.raises(psycopg.errors.InvalidParameterValue):
        connection.execute(f"call build_segmentation({name}{arguments})".encode())


def test_nobody_has_a_vector(space: str) -> None:
    with connect(space) as connection, pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="refresh"):
        build(connection, "interests")


# Identity over time


def lineage(connection: psycopg.Connection, run: int) -> list[tuple]:
    query = """
        select event, previous_segment_id, segment_id
        from segment_lineage
        where run_id = %s
        order by segment_id, previous_segment_id"""
    return connection.execute(query, [run]).fetchall()


@pytest.mark.slow
def test_ids_and_names_outlive_new_users(real: str) -> None:
    """Five in a hundred users more, from scratch and from the published centroids: the segments stay themselves."""
    with connect(real) as connection:
        connection.execute("update users set attributes = jsonb_build_object('old', user_key % 20 <> 0)")
        build(connection, "interests", k=3, filter='{"old": true}', seed=1)
        connection.execute("call rename_segment('interests', 2, 'Weekend skiers')")
        before = members(connection, "interests")
        for warm in (True, False):
            run = build(connection, "interests", k=3, warm_start=warm, seed=1)
            after = members(connection, "interests")
            assert {event for event, *_ in lineage(connection, run)} == {"kept"}
            assert sum(after[user] == before[user] for user in before) > 0.9 * len(before)
            name = connection.execute("select name from segments where segmentation = 'interests' and segment_id = 2")
            assert name.fetchone() == ("Weekend skiers",)


def test_what_becomes_of_segments(space: str) -> None:
    """Four clumps: in two, in four, in three segments; ids are never given twice."""
    vectors = clumps([60, 40, 30, 20])
    fill(space, vectors)
    axes = [Vector(v) for v in ([1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, 0, 0])]
    with connect(space) as connection:
        first = build(connection, "interests", initial_centroids=axes[:3])
        assert lineage(connection, first) == [("new", None, 1), ("new", None, 2), ("new", None, 3)]
        second = build(connection, "interests", initial_centroids=axes)
        assert (
            ("split", 2, 4) in lineage(connection, second)
            or ("split", 3, 4) in lineage(connection, second)
            or ("split", 1, 4) in lineage(connection, second)
        )
        third = build(connection, "interests", initial_centroids=axes[:3])
        events = lineage(connection, third)
        assert [event for event, *_ in events].count("kept") == 3
        assert ("merged", 4) in {(event, previous) for event, previous, _ in events}
        fourth = build(connection, "interests", initial_centroids=axes)
        assert 5 in {segment for _, _, segment in lineage(connection, fourth)}


def test_a_run_that_moves_too_many(space: str) -> None:
    fill(space, clumps([60, 40, 30, 20]))
    with connect(space) as connection:
        notices: list[str] = []
        connection.add_notice_handler(lambda notice: notices.append(str(notice.message_primary)))
        first = build(connection, "interests", k=2)
        before = members(connection, "interests")
        second = build(connection, "interests", k=4, max_churn=0.1)
        assert "not published" in notices[-1]
        assert members(connection, "interests") == before
        churn, moved, rand = connection.execute(
            "select churn, users_moved, ari_to_previous from segmentation_runs where run_id = %s", [second]
        ).fetchone() or (0, 0, 0)
        assert churn == pytest.approx(moved / 150)
        assert churn > 0.1
        assert rand < 1

        connection.execute("call publish_run(%s)", [second])
        after = members(connection, "interests")
        assert set(after.values()) == {1, 2, 3, 4}
        changes = connection.execute(
            "select user_id, from_segment_id, to_segment_id from segment_changes where run_id = %s", [second]
        ).fetchall()
        assert changes
        assert sorted(changes) == sorted((u, before[u], after[u]) for u in before if before[u] != after[u])

        connection.execute("call publish_run(%s)", [first])
        assert members(connection, "interests") == before


def test_unassigned_users_leave(space: str) -> None:
    fill(space, clumps([50, 45, 4]))
    with connect(space) as connection:
        build(connection, "interests", k=3)
        run = build(connection, "interests", k=3, drop_smaller_than=5)
        left = connection.execute(
            "select count(*) from segment_changes where run_id = %s and to_segment_id is null", [run]
        ).fetchone()
        assert left == (4,)
        assert ("retired", 3, None) in lineage(connection, run)


# Side by side with others


def test_readers_see_whole_runs_and_are_not_blocked(space: str) -> None:
    fill(space, clumps([60, 40, 30, 20]))
    with connect(space) as builder, connect(space, autocommit=True) as reader:
        build(builder, "interests", k=2)
        reader.execute("set lock_timeout = '1 s'")
        builder.execute("call build_segmentation('interests', k => 4)")
        assert reader.execute("select count(*) from segments").fetchone() == (2,)
        reader.execute("call rename_segment('interests', 1, 'Named meanwhile')")
        builder.commit()
        assert reader.execute("select count(*) from segments").fetchone() == (4,)
        builder.execute("call build_segmentation('interests', k => 3)")
        builder.rollback()
        assert reader.execute("select count(*) from segments").fetchone() == (4,)
        assert reader.execute("select name from segments where segment_id = 1").fetchone() == ("Named meanwhile",)


def test_two_builds_follow_each_other(space: str) -> None:
    fill(space, clumps([60, 40, 30, 20]))
    failures: list[BaseException] = []

    def run(k: int) -> None:
        try:
            with connect(space) as connection:
                build(connection, "interests", k=k)
        except psycopg.Error as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=[k]) for k in (2, 3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with connect(space) as connection:
        published = connection.execute("select published_run_id from segmentations").fetchall()
        runs = connection.execute("select run_id from segmentation_runs order by published_at").fetchall()
    assert not failures
    assert len(runs) == 3
    assert published == runs[-1:]


def test_progress_is_seen_and_a_build_can_be_cancelled(cluster18: Cluster) -> None:
    url = real_space(cluster18, "retail.csv.gz")
    with connect(url) as connection, connect(url, autocommit=True) as watcher:
        refresh(connection)
        connection.execute("set application_name = 'mine'")
        connection.commit()
        seen: set[str] = set()
        pid = connection.info.backend_pid

        def watch() -> None:
            deadline = time.monotonic() + 60
            while not any("segments" in name for name in seen) and time.monotonic() < deadline:
                row = watcher.execute("select application_name from pg_stat_activity where pid = %s", [pid]).fetchone()
                seen.add(row[0] if row else "")
            watcher.execute("select pg_cancel_backend(%s)", [pid])

        thread = threading.Thread(target=watch)
        thread.start()
        with pytest.raises(psycopg.errors.QueryCanceled):
            build(connection, "interests", k_max=40, restarts=20)
        thread.join()
        connection.rollback()
        assert any(name.startswith("pgaudience: trying") for name in seen)
        assert connection.execute("show application_name").fetchone() == ("mine",)
        assert connection.execute("select count(*) from segmentations").fetchone() == (0,)


def test_a_writer_may_build_and_a_reader_may_not(space: str) -> None:
    fill(space, clumps([30, 20]))
    with psycopg.connect(space, autocommit=True) as owner:
        owner.execute("create role segmenter_of_space")
    try:
        for role, allowed in (("audience_writer", True), ("audience_reader", False)):
            with connect(space) as connection:
                connection.execute(f"grant {role} to segmenter_of_space".encode())
                connection.execute("set role segmenter_of_space")
                if allowed:
                    build(connection, "interests", k=2)
                    connection.execute("call rename_segment('interests', 1, 'Skiers')")
                else:
                    assert len(members(connection, "interests")) == 50
                    with pytest.raises(psycopg.errors.InsufficientPrivilege):
                        build(connection, "interests", k=2)
                connection.rollback()
                connection.execute("reset role")
                connection.execute(f"revoke {role} from segmenter_of_space".encode())
                connection.commit()
    finally:
        with psycopg.connect(space, autocommit=True) as owner:
            owner.execute("drop role segmenter_of_space")


def test_deleting_runs_and_people(space: str) -> None:
    fill(space, clumps([30, 20]))
    with connect(space) as connection:
        first = build(connection, "interests", k=2)
        build(connection, "interests", k=2)
        connection.execute("delete from segmentation_runs where run_id = %s", [first])
        connection.execute("delete from users where user_key = 1")
        left = connection.execute("select count(*), count(distinct run_id) from segment_assignments").fetchone()
        assert left == (49, 1)
        assert connection.execute("select count(*) from segment_changes where user_id = 'user 1'").fetchone() == (0,)
        connection.execute("delete from segmentations")
        assert connection.execute("select count(*) from segment_assignments").fetchone() == (0,)
