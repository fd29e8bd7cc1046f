"""Users seen from the average user: their vectors, who is like whom, and segments, against numpy."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pgvector.psycopg import register_vector

from conftest import Cluster, connect
from pgaudience.database import open_space
from pgaudience.indexing import create_indexes
from pgaudience.refresh import refresh
from test_profiles import columns, real_space
from test_segment_quality import fill
from test_segmentation import build

pytestmark = pytest.mark.slow

RAW = "select user_key, embedding::real[] from user_vectors order by 1"
CENTERED = "select user_key, embedding::real[] from centered_user_vectors order by 1"
AVERAGE = "select embedding::real[], users from average_user"


def unit(vectors: NDArray) -> NDArray[np.float64]:
    vectors = vectors.astype(np.float64)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def leaning(users: int, seed: int = 0) -> NDArray[np.float64]:
    """Unit vectors that all lean to one side, shape (users, 3)."""
    return unit(np.random.default_rng(seed).normal(size=(users, 3)) + np.array([1.5, 0, 0]))


def add_user(connection: psycopg.Connection, name: str, vector: list[float]) -> None:
    """Add a user with one entry of this vector."""
    connection.execute("insert into activity_input (user_id, entry) values (%s, %s)", [name, f"entry of {name}"])
    connection.execute(
        "insert into entry_vectors (entry_key, embedding) select entry_key, %s::vector from entries where entry = %s",
        [str(vector), f"entry of {name}"],
    )


@pytest.fixture(scope="module", params=["places.json", "retail.csv.gz"])
def real(request: pytest.FixtureRequest, cluster18: Cluster) -> str:
    url = real_space(cluster18, request.param)
    with connect(url) as connection:
        refresh(connection)
    return url


# The vectors


def test_the_average_is_subtracted(real: str) -> None:
    with connect(real) as connection:
        keys, raw = columns(connection, RAW)
        found_keys, found = columns(connection, CENTERED)
        ((average, users),) = connection.execute(AVERAGE).fetchall()
    assert users == len(keys)
    assert np.abs(average - raw.mean(axis=0)).max() <= 1e-6
    assert np.array_equal(found_keys, keys)
    assert np.abs(found - unit(raw - raw.mean(axis=0))).max() <= 1e-5


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(vectors=st.lists(st.tuples(*[st.integers(-4, 4)] * 3).filter(any), min_size=1, max_size=8))
def test_any_users(space: str, vectors: list[tuple[int, int, int]]) -> None:
    """Whoever is the average user is left out, and nobody else."""
    with connect(space) as connection:
        connection.execute("truncate users, entries, activity cascade")
        connection.execute("alter table users alter column user_key restart")
        connection.execute("alter table entries alter column entry_key restart")
    fill(space, np.array(vectors))
    with connect(space) as connection:
        found = dict(connection.execute(CENTERED).fetchall())
    raw = unit(np.array(vectors))
    lengths = np.linalg.norm(raw - raw.mean(axis=0), axis=1)
    assert sorted(found) == [n + 1 for n, length in enumerate(lengths) if length > 1e-4]
    for key, vector in found.items():
        assert vector == pytest.approx((raw[key - 1] - raw.mean(axis=0)) / lengths[key - 1], abs=1e-3)


def test_nobody_differs(space: str) -> None:
    """One user, or two of a kind, are the average user: compared as they are, or not at all."""
    fill(space, np.array([[1, 1, 0]]))
    with connect(space) as connection:
        for users in (1, 2):
            assert connection.execute("select count(*) from centered_user_vectors").fetchone() == (0,)
            for query in (
                "select * from similar_users('u1'{})",
                "select * from similar_users('u1', by => 'both'{})",
                "select * from lookalikes(array['u1']{})",
                "select * from find_outliers(repeats => 2{})",
                "call build_segmentation('one', k => 1{})",
            ):
                with (
                    pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="average user"),
                    connection.transaction(),
                ):
                    connection.execute(query.format("").encode())
                connection.execute(query.format(", centered => false").encode())
            if users == 1:
                add_user(connection, "u2", [0.70710678, 0.70710678, 0])
                refresh(connection)


def test_the_average_user_among_others(space: str) -> None:
    """So many users of one kind that they are the average user; only the one who is not has a centred vector."""
    fill(space, np.array([[1, 0, 0], [0, 1, 0]]))
    with connect(space) as connection:
        connection.execute("insert into users (user_id) select 'same' || n from generate_series(1, 20000) n")
        connection.execute(
            "insert into activity (user_key, entry_key, frequency) select user_key, 1, 1 from users where user_key > 2"
        )
        refresh(connection)
        assert connection.execute("select user_id from centered_user_vectors").fetchall() == [("u2",)]
        with pytest.raises(psycopg.errors.NoDataFound, match="exactly the average user"), connection.transaction():
            connection.execute("select * from similar_users('u1')")
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="no taste in common"), connection.transaction():
            connection.execute("select * from lookalikes(array['u1', 'same7'])")
        found = connection.execute("select user_id, similarity from similar_users('u1', k => 1, centered => false)")
        assert found.fetchall() == [("same1", pytest.approx(1))]


# How a refresh keeps them


def count_kept(connection: psycopg.Connection) -> int:
    """How many rows of centered_user_vectors a refresh has left as they were, at the same place of the same file."""
    rows = "select pg_relation_filenode(tableoid), ctid, user_key from centered_user_vectors"
    before = connection.execute(rows).fetchall()
    refresh(connection)
    after = connection.execute(rows).fetchall()
    return len(set(before) & set(after))


@pytest.mark.parametrize("indexed, users, little, much", [(False, 200, 0.0006, 0.005), (True, 40, 0.006, 0.05)])
def test_the_average_stays_until_it_has_moved(
    space: str, indexed: bool, users: int, little: float, much: float
) -> None:
    fill(space, leaning(users))
    with connect(space) as connection:
        refresh(connection)
        if indexed:
            create_indexes(connection, open_space(connection, "audience"), space)
        assert count_kept(connection) == users
        for shift, kept in ((little, users - 1), (much, 0)):
            ((vector,),) = connection.execute(
                "select embedding::real[] from user_vectors where user_key = 1"
            ).fetchall()
            turned = unit(np.array(vector) + np.array([0, 1, 0]) * shift * users)
            moved = np.linalg.norm(turned - vector) / users
            connection.execute(
                "update entry_vectors set embedding = %s::vector where entry_key = 1", [str(turned.tolist())]
            )
            assert count_kept(connection) == kept, moved
            drift = connection.execute("select average_user_drift()").fetchone()
            assert drift == (pytest.approx(moved if kept else 0, abs=1e-6),)
        _, raw = columns(connection, RAW)
        _, found = columns(connection, CENTERED)
        assert np.abs(found - unit(raw - raw.mean(axis=0))).max() <= 1e-5
        names = connection.execute(
            "select indexname from pg_indexes where indexname ~ '_vectors_embedding$'"
        ).fetchall()
    assert len(names) == (3 if indexed else 0)


def test_plain_refreshes(space: str) -> None:
    fill(space, leaning(20))
    with connect(space) as connection:
        add_user(connection, "new", [0, 0, 1])
        for relation in ("user_vectors", "average_user", "centered_user_vectors"):
            connection.execute(f"refresh materialized view concurrently {relation}".encode())
        _, raw = columns(connection, RAW)
        _, found = columns(connection, CENTERED)
    assert np.abs(found - unit(raw - raw.mean(axis=0))).max() <= 1e-5


# Who is like whom


def space_of(connection: psycopg.Connection, centered: bool) -> tuple[list[str], NDArray[np.float64]]:
    relation = "centered_user_vectors" if centered else "user_vectors"
    users, vectors = columns(
        connection, f'select user_id, embedding::real[] from {relation} order by user_id collate "C"'
    )
    return users.tolist(), vectors.astype(np.float64)


def check_ranking(found: list[tuple], users: list[str], expected: NDArray[np.float64], k: int) -> None:
    """The k best of these users by these similarities; nan is for those who must not be there."""
    ranks, ids, similarities = zip(*found, strict=True)
    best = np.sort(expected[~np.isnan(expected)])[::-1][:k]
    assert list(ranks) == list(range(1, len(best) + 1))
    assert len(set(ids)) == len(best)
    assert similarities == pytest.approx(best.tolist(), abs=1e-5)
    assert similarities == pytest.approx([expected[users.index(user)] for user in ids], abs=1e-5)


def by_entries(connection: psycopg.Connection, users: list[str], of_user: str) -> NDArray[np.float64]:
    """Cosine of tf-idf weights, ln(1 + frequency) ln(users / users of the entry)."""
    names, entries, frequencies = columns(
        connection, "select user_id, entry_key, frequency from activity join users using (user_key)"
    )
    weights = np.zeros((len(users), entries.max() + 1))
    weights[[users.index(name) for name in names], entries] = np.log1p(frequencies)
    weights *= np.log(len(users) / np.maximum((weights > 0).sum(axis=0), 1))
    lengths = np.linalg.norm(weights, axis=1)
    own = users.index(of_user)
    return weights @ weights[own] / np.maximum(lengths * lengths[own], 1e-300)


@pytest.mark.parametrize("centered", [True, False])
def test_similar_users(real: str, centered: bool) -> None:
    with connect(real) as connection:
        users, vectors = space_of(connection, centered)
        for own in (0, len(users) // 2, len(users) - 1):
            by_vector = vectors @ vectors[own]
            entries = by_entries(connection, users, users[own])
            by_vector[own] = np.nan
            entries[own] = np.nan
            for by, expected in (
                ("vector", by_vector), ("entries", entries), ("both", (by_vector + 2 * entries) / 3)
            ):  # fmt: skip
                for k in (1, 7, len(users)):
                    query = "select * from similar_users(%s, k => %s, by => %s, centered => %s)"
                    found = connection.execute(query, [users[own], k, by, centered]).fetchall()
                    check_ranking(found, users, expected, k)
                    assert connection.execute(query, [users[own], k, by, centered]).fetchall() == found


@pytest.mark.parametrize("centered", [True, False])
def test_lookalikes(real: str, centered: bool) -> None:
    """Rocchio: the weighted mean of those like whom, less a quarter of the mean of those unlike whom."""
    with connect(real) as connection:
        connection.execute("update users set attributes = jsonb_build_object('odd', user_key % 2 = 1)")
        odd = {user for (user,) in connection.execute("select user_id from users where user_key % 2 = 1")}
        users, vectors = space_of(connection, centered)
        like, unlike, weights = [0, 2, 3], [1, 4], np.array([1.0, 2.5, 0])
        query = unit((weights @ vectors[like]) / weights.sum() - vectors[unlike].mean(axis=0) / 4)
        expected = vectors @ query
        expected[like + unlike] = np.nan
        arguments = [[users[n] for n in like], [users[n] for n in unlike], weights.tolist(), centered]
        call = "select * from lookalikes(%s, unlike => %s, weights => %s, centered => %s"
        check_ranking(connection.execute(f"{call}, k => 4)".encode(), arguments).fetchall(), users, expected, 4)

        expected[[user not in odd for user in users]] = np.nan
        few = int(np.ceil(0.4 * (~np.isnan(expected)).sum()))
        found = connection.execute(f"{call}, fraction => 0.4, filter => '{{\"odd\": true}}')".encode(), arguments)
        check_ranking(found.fetchall(), users, expected, few)


@pytest.mark.parametrize("centered", [True, False])
def test_lookalikes_by_the_nearest_of_each(real: str, centered: bool) -> None:
    """The share of the group among the nearest of each user; those who are asked are all, where there are few."""
    with connect(real) as connection:
        users, vectors = space_of(connection, centered)
        vectors = unit(vectors)
        like, unlike, weights = [0, 2, 3], [1, 4], np.array([1.0, 2.5, 0])
        votes = np.zeros(len(users))
        votes[like], votes[unlike] = weights / 2.5, -1
        cosines = vectors @ vectors.T
        np.fill_diagonal(cosines, -np.inf)
        nearest = np.argsort(-cosines, axis=1, kind="stable")[:, : int(np.ceil(np.sqrt(len(users))))]
        found = connection.execute(
            "select user_id, similarity from lookalikes(%s, unlike => %s, weights => %s, centered => %s, k => 10000,"
            " by => 'nearest')",
            [[users[n] for n in like], [users[n] for n in unlike], weights.tolist(), centered],
        ).fetchall()
    expected = dict(zip(users, votes[nearest].mean(axis=1), strict=True))
    shares = [share for _, share in found]
    assert {user for user, _ in found} == set(users) - {users[n] for n in like + unlike}
    assert shares == sorted(shares, reverse=True)
    near = [abs(share - expected[user]) < 1e-9 for user, share in found]
    assert np.mean(near) > 0.98, "all but some whose nearest are equally near, but for a rounding"
    alike = dict(zip(users, vectors @ (votes[like] @ vectors[like]), strict=True))
    assert all(
        alike[user] > alike[other] - 1e-5
        for (user, share), (other, next_) in pairwise(found) if share == next_
    )  # fmt: skip


def test_lookalikes_by_the_nearest_ask_some_of_many(real: str) -> None:
    with connect(real) as connection:
        users, _ = space_of(connection, True)
        group = users[: len(users) // 2]
        first = "select * from lookalikes(%s, k => 30, by => 'nearest')"
        found = connection.execute(first, [group]).fetchall()
        assert found == connection.execute(first, [group[::-1]]).fetchall()
        assert len(found) == min(30, len(users) - len(group))
        assert not {user for _, user, _ in found} & set(group)


def test_lookalike_quality(real: str) -> None:
    with connect(real) as connection:
        users, vectors = space_of(connection, True)
        group = users[:: max(len(users) // 23, 1)]
        keys = dict(connection.execute("select user_id, hashint8extended(user_key, 7) from users").fetchall())
        found = connection.execute("select * from lookalike_quality(%s, folds => 4, seed => 7)", [group]).fetchall()
    shuffled = sorted(group, key=lambda user: keys[user])
    places, others = [], []
    for fold in range(4):
        rest = [user for n, user in enumerate(shuffled, 1) if n % 4 != fold]
        query = vectors[[users.index(user) for user in rest]].mean(axis=0)
        ranked = [users[n] for n in np.argsort(-(vectors @ query), kind="stable") if users[n] not in rest]
        held_out = set(group) - set(rest)
        places += [ranked.index(user) + 1 for user in held_out]
        others += [len(ranked)] * len(held_out)
    assert found[-1][0] == max(others)
    assert found[-1][1:] == (1, 1, 1, "mean")
    assert [row[0] for row in found[:5]] == [1, 2, 5, 10, 20][: len(found)] or len(found) < 5
    for rank, share, recall, lift, _ in found:
        assert share == pytest.approx(np.minimum(rank / np.array(others), 1).mean())
        assert recall == pytest.approx((np.array(places) <= rank).mean(), abs=1 / len(places) + 1e-9)
        assert lift == pytest.approx(recall / share)


def test_an_index_of_centered_vectors(cluster18: Cluster) -> None:
    """The index serves similar_users, and finds whom the exact scan finds."""
    url = real_space(cluster18, "retail.csv.gz")
    with connect(url) as connection:
        refresh(connection)
        query = "select user_id from similar_users((select user_id from users order by user_key limit 1), k => 10)"
        exact = connection.execute(query).fetchall()
        create_indexes(connection, open_space(connection, "audience"), url)
        connection.execute("set enable_seqscan = off")
        plan = connection.execute(
            "explain select user_id from centered_user_vectors v"
            " order by embedding <=> (select embedding from centered_user_vectors limit 1) limit 10"
        ).fetchall()
        assert "centered_user_vectors_embedding" in str(plan)
        assert len(set(connection.execute(query).fetchall()) & set(exact)) >= 9


# Segments


@pytest.mark.parametrize("centered", [True, False])
@pytest.mark.parametrize("method", ["kmeans", "agglomerative"])
def test_a_run_is_read_as_it_was_built(space: str, centered: bool, method: str) -> None:
    """Members are placed, explained and judged in the space of the run, also after the average has moved."""
    fill(space, leaning(80))
    with connect(space) as connection:
        register_vector(connection)
        build(connection, "interests", k=3, centered=centered, method=method)
        users, vectors = space_of(connection, centered)
        members = connection.execute(
            'select user_id, segment_id, similarity from segment_members order by user_id collate "C"'
        ).fetchall()
        assert [user for user, *_ in members] == users
        check_members(connection, members)

        for n in range(40):
            add_user(connection, f"new{n}", [0, 0.6, 0.8])
        refresh(connection)
        moved = connection.execute("select average <-> embedding from segmentation_runs, average_user").fetchone()
        assert moved == ((pytest.approx(0.35, abs=0.3),) if centered else (None,))
        check_members(connection, members)

        centroids = dict(connection.execute("select segment_id, centroid::real[] from run_segments").fetchall())
        own = {user: np.linalg.norm(vectors[n] - centroids[segment]) for n, (user, segment, _) in enumerate(members)}
        inertia = connection.execute("select inertia from segment_quality('interests') where segment_id is null")
        assert inertia.fetchone() == (pytest.approx(sum(d**2 for d in own.values()), rel=1e-3),)
        silhouettes = connection.execute("select user_id, simplified_silhouette from member_silhouettes('interests')")
        for user, silhouette in silhouettes.fetchall():
            _, segment, _ = members[users.index(user)]
            other = min(
                np.linalg.norm(vectors[users.index(user)] - centroid)
                for other, centroid in centroids.items() if other != segment
            )  # fmt: skip
            assert silhouette == pytest.approx((other - own[user]) / max(other, own[user]), abs=1e-4)


def check_members(connection: psycopg.Connection, members: list[tuple[str, int, float]]) -> None:
    for user, segment, similarity in members[::9]:
        placed = connection.execute("select segment_id, similarity from assign_segment('interests', %s)", [user])
        assert placed.fetchone() == (segment, pytest.approx(similarity, abs=1e-5))
        explained = connection.execute("select sum(contribution) from explain_segment('interests', %s)", [user])
        assert explained.fetchone() == (pytest.approx(similarity, abs=1e-5),)


def test_explanations_add_up(real: str) -> None:
    with connect(real) as connection:
        build(connection, "explained", k=2, seed=1)
        people = connection.execute(
            "select user_id, similarity from segment_members where segmentation = 'explained' order by 1 limit 25"
        ).fetchall()
        for user, similarity in people:
            rows = connection.execute("select contribution from explain_segment('explained', %s)", [user]).fetchall()
            assert rows == sorted(rows, reverse=True)
            assert sum(c for (c,) in rows) == pytest.approx(similarity, abs=1e-5)


def test_no_warm_start_from_another_space(space: str) -> None:
    fill(space, leaning(60))
    with connect(space) as connection:
        register_vector(connection)
        for centered, warm in ((False, False), (True, False), (True, True), (False, False)):
            run = build(connection, "interests", k=3, centered=centered)
            query = "select warm_start, average is not null, parameters -> 'centered' from segmentation_runs"
            found = connection.execute(f"{query} where run_id = %s".encode(), [run]).fetchone()
            assert found == (warm, centered, centered)
