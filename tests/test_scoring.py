"""Search by evidence against numpy, its small cases, and the policies that stand behind it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray

from conftest import Cluster, connect
from pgaudience.refresh import refresh
from test_profiles import columns, real_space
from test_segment_quality import fill

pytestmark = pytest.mark.slow

QUERY = "christmas decorations"


@pytest.fixture(scope="module")
def retail(cluster18: Cluster) -> str:
    url = real_space(cluster18, "retail.csv.gz")
    with connect(url) as connection:
        refresh(connection)
        # An entry's own vector is a query that some entries are close to.
        connection.execute(
            "insert into queries (query, embedding, embedded_at) select %s, embedding, now()"
            " from entry_vectors order by entry_key limit 1",
            [QUERY],
        )
    return url


def standardised(values: NDArray[np.float64], mean: float, deviation: float) -> NDArray[np.float64]:
    return (values - mean) / deviation if deviation > 0 else np.zeros_like(values)


def expected_scores(
    connection: psycopg.Connection, mode: str, breadth: float, weight: float, query_text: str = QUERY
) -> tuple[list[str], NDArray[np.float64]]:
    """User ids and their scores, by the formulas of docs/how-it-works.md, in double precision."""
    query = np.array(connection.execute("select embed(%s)::real[]", [query_text]).fetchone()[0])  # type: ignore[index]
    entry_keys, entries = columns(connection, "select entry_key, embedding::real[] from entry_vectors order by 1")
    sample, *_ = columns(connection, "select entry_key from entry_sample")
    user_keys, ids, vectors = columns(
        connection, "select user_key, user_id, embedding::real[] from user_vectors order by 1"
    )
    users, items, frequencies = columns(connection, "select user_key, entry_key, frequency from activity")
    sampled_users, *_ = columns(connection, "select user_key from user_sample")

    unit = entries / np.linalg.norm(entries, axis=1, keepdims=True)
    sampled = np.searchsorted(entry_keys, sample)
    direction = query / np.linalg.norm(query)
    closer = unit @ direction - (unit @ direction)[sampled].mean()
    nearest = np.argsort(-closer)[:10]
    nearest = nearest[closer[nearest] > 1.5 * closer[sampled].std()]
    example = (entries[nearest] * closer[nearest][:, None]).sum(axis=0)
    moved = direction + 0.5 * example / np.linalg.norm(example)
    moved = moved / np.linalg.norm(moved) - 0.5 * entries[sampled].mean(axis=0)
    similarity = unit @ moved / np.linalg.norm(moved)
    usual = similarity[sampled]
    threshold = usual.mean() + 1.5 * usual.std() + 1e-6
    if len(similarity) > 500:
        threshold = max(threshold, np.sort(similarity)[-501])
    excess = np.maximum(similarity - threshold, 0)

    weights = np.log1p(frequencies)
    rows = np.searchsorted(user_keys, users)
    total = np.bincount(rows, weights)
    speaks = weights * excess[np.searchsorted(entry_keys, items)]
    strongest = np.zeros(len(total))
    np.maximum.at(strongest, rows, speaks)
    evidence = (np.bincount(rows, speaks) - 0.5 * strongest) / total**breadth
    cosine = vectors @ query / np.linalg.norm(query)
    of_sample = cosine[np.searchsorted(user_keys, sampled_users)]
    if mode == "evidence":
        return ids.tolist(), evidence
    return ids.tolist(), standardised(cosine, of_sample.mean(), of_sample.std()) + weight * standardised(
        evidence, evidence.mean(), evidence.std()
    )


@pytest.mark.parametrize(
    "mode, breadth, weight", [("hybrid", 0.75, 2), ("hybrid", 0.5, 1), ("hybrid", 1, 0), ("evidence", 0.75, 2)]
)
def test_scores_are_those_of_numpy(retail: str, mode: str, breadth: float, weight: float) -> None:
    with connect(retail) as connection:
        ids, scores = expected_scores(connection, mode, breadth, weight)
        found = connection.execute(
            "select user_id, score from search_users(%s, k => 10000, mode => %s, breadth => %s, evidence_weight => %s)",
            [QUERY, mode, breadth, weight],
        ).fetchall()
        again = connection.execute(
            "select user_id, score from search_users(%s, k => 25, mode => %s, breadth => %s, evidence_weight => %s)",
            [QUERY, mode, breadth, weight],
        ).fetchall()
    assert len(found) == len(ids)
    expected = dict(zip(ids, scores, strict=True))
    assert [score for _, score in found] == pytest.approx([expected[user] for user, _ in found], abs=2e-3)
    assert again == found[:25]


def test_a_filter_is_exact(retail: str) -> None:
    with connect(retail) as connection:
        connection.execute("update users set attributes = jsonb_build_object('fifth', user_key % 5)")
        everybody = connection.execute("select user_id, score from search_users(%s, k => 10000)", [QUERY]).fetchall()
        fifth = {row[0] for row in connection.execute("select user_id from users where user_key % 5 = 3")}
        found = connection.execute(
            "select user_id, score from search_users(%s, k => 10, filter => '{\"fifth\": 3}')", [QUERY]
        ).fetchall()
    assert found == [row for row in everybody if row[0] in fifth][:10]


def test_an_explanation_adds_up_to_the_score(retail: str) -> None:
    with connect(retail) as connection:
        found = connection.execute("select user_id, score from search_users(%s, k => 5)", [QUERY]).fetchall()
        cosines = dict(
            connection.execute(
                "select user_id, score from search_users(%s, k => 10000, mode => 'mean')", [QUERY]
            ).fetchall()
        )
        for user, score in found:
            rows = connection.execute("select * from explain_match(%s, %s)", [user, QUERY]).fetchall()
            assert sum(row[5] + row[6] for row in rows) == pytest.approx(score, abs=1e-3)
            assert sum(row[4] for row in rows) == pytest.approx(cosines[user], abs=1e-5)
            assert [row[0] for row in rows].count("(all users)") == 1
            assert rows[-1][:5] == ("(all users)", 0, 0, 0, 0)


def test_members_have_scores_that_a_person_can_read(retail: str) -> None:
    """A percentile of all who could be in it, and evidence in times that of an average user, as a search has them."""
    with connect(retail) as connection:
        users = connection.execute("select count(*) from user_vectors").fetchone()[0]  # type: ignore[index]
        evidence = dict(
            connection.execute("select user_id, evidence from search_users(%s, k => 10000)", [QUERY]).fetchall()
        )
        usual = sum(evidence.values()) / users
        connection.execute("update users set attributes = jsonb_build_object('fifth', user_key % 5)")
        (fifth,) = connection.execute("select count(*) from users where user_key % 5 = 3").fetchone() or (0,)
        for name, arguments, candidates in (
            ("all", "size => 25", users),
            ("filtered", "size => 25, filter => '{\"fifth\": 3}'", fifth),
            ("shared", "share => 0.1", users),
            ("without", "size => 25, none_of => array['all']", users - 25),
        ):
            connection.execute(f"call save_audience('{name}', search => '{QUERY}', {arguments})".encode())
            found = connection.execute(
                "select user_id, rank, percentile, times from audience_members where audience = %s order by rank",
                [name],
            ).fetchall()
            assert len(found) >= 25
            for user, rank, percentile, times in found:
                assert percentile == pytest.approx(100 * (1 - rank / candidates))
                assert times == pytest.approx(evidence[user] / usual)
            if "none_of" not in arguments:
                where = ", filter => '{\"fifth\": 3}'" if "filter" in arguments else ""
                searched = connection.execute(
                    f"select user_id, rank, percentile, times from search_users('{QUERY}', k => 25{where})".encode()
                ).fetchall()
                assert searched == found[:25]
        connection.execute(f"call save_audience('mean', search => '{QUERY}', mode => 'mean', size => 5)".encode())
        connection.execute("call save_audience('by hand', filter => '{\"fifth\": 3}')")
        assert connection.execute(
            "select distinct audience, percentile is null, times is null from audience_bi.audience_members"
            " where audience in ('mean', 'by hand') order by audience"
        ).fetchall() == [("by hand", True, True), ("mean", False, True)]


def test_the_judged_sharpen_an_audience(retail: str) -> None:
    """A search and the likeness to who was judged, against numpy; answers make it stale; without any all is as ever."""
    with connect(retail) as connection:
        connection.execute(
            f"call save_audience('judged', search => '{QUERY}', size => 25, use_judgements => true)".encode()
        )
        plain = "select user_id, score from search_users(%s, k => 10000)"
        ids, scores = columns(connection, plain.replace("%s", f"'{QUERY}'"))
        found = "select user_id, score, percentile from audience_members where audience = 'judged' order by rank"
        assert [row[0] for row in connection.execute(found)] == list(ids[:25])
        for place in range(0, 25, 3):
            connection.execute("call judge_member('judged', %s, %s)", [ids[place], place % 2 == 0])
        assert connection.execute("select stale from audience_bi.audiences where audience = 'judged'").fetchone() == (
            True,
        )
        connection.execute("call refresh_audiences()")
        users, vectors = columns(connection, "select user_id, embedding::real[] from centered_user_vectors order by 1")
        yes, no = (vectors[np.isin(users, ids[start:25:6])].mean(axis=0) for start in (0, 3))
        direction = (yes - no) / np.linalg.norm(yes - no)
        cosines = vectors @ direction / np.linalg.norm(vectors, axis=1)
        likeness = dict(zip(users, standardised(cosines, cosines.mean(), cosines.std()), strict=True))
        search = standardised(scores, scores.mean(), scores.std())
        expected = {user: score + 0.5 * likeness[user] for user, score in zip(ids, search, strict=True)}
        members = connection.execute(found).fetchall()
        best = sorted(expected, key=lambda user: -expected[user])[:25]
        assert [row[1] for row in members] == pytest.approx([expected[user] for user in best], abs=2e-3)
        assert [row[1] for row in members] == pytest.approx([expected[row[0]] for row in members], abs=2e-3)
        assert [row[2] for row in members] == pytest.approx([100 * (1 - rank / len(ids)) for rank in range(1, 26)])
        connection.execute("call drop_audience('judged')")


def test_matched_entries_are_the_evidence(retail: str) -> None:
    with connect(retail) as connection:
        admitted = {
            row[0]
            for row in connection.execute(
                "select entry from admitted_entries(embed(%s)) join entries using (entry_key)", [QUERY]
            )
        }
        found = connection.execute("select user_id, matched_entries from search_users(%s)", [QUERY]).fetchall()
        for user, entries in found:
            explained = connection.execute(
                "select entry from explain_match(%s, %s) where evidence_part > 0 and weight > 0"
                " order by evidence_part desc, entry",
                [user, QUERY],
            ).fetchall()
            assert entries == [row[0] for row in explained][:3]
            assert set(entries) <= admitted


# Small cases


def axis(connection: psycopg.Connection, mode: str = "hybrid") -> list[tuple]:
    return connection.execute(
        "select user_id, score, matched_entries from search_users('[1,0,0]'::vector, mode => %s)", [mode]
    ).fetchall()


def test_one_user(space: str) -> None:
    fill(space, np.array([[1.0, 0, 0]]))
    with connect(space) as connection:
        assert axis(connection) == [("u1", 0, [])]
        assert axis(connection, "evidence") == [("u1", 0, [])]


def test_no_spread(space: str) -> None:
    fill(space, np.tile([0.6, 0.8, 0.0], (5, 1)))
    with connect(space) as connection:
        assert [(user, score) for user, score, _ in axis(connection)] == [(f"u{n}", 0) for n in range(1, 6)]


def test_without_evidence_the_vector_decides(space: str) -> None:
    """Eight of ten entries point one way: none of them stands out."""
    fill(space, np.vstack([np.random.default_rng(0).normal([3, 0, 0], 0.4, (8, 3)), [[0, 1, 0], [0, 0, 1]]]))
    with connect(space) as connection:
        assert connection.execute("select count(*) from admitted_entries('[1,0,0]')").fetchone() == (0,)
        by_mean = [user for user, *_ in axis(connection, "mean")]
        assert [user for user, *_ in axis(connection)] == by_mean
        assert [user for user, *_ in axis(connection, "evidence")] == by_mean


def test_a_diluted_interest_is_found(space: str) -> None:
    """One trip among everyday noise: lost by the mean among forty others, first by the evidence."""
    random = np.random.default_rng(1)
    noise = random.normal(size=(40, 3)) * [0.1, 1, 1]
    fill(space, noise)
    with connect(space) as connection:
        connection.execute("insert into entries (entry) values ('Ski Aspen'), ('Coffee')")
        connection.execute(
            "insert into entry_vectors (entry_key, embedding)"
            " select entry_key, (case entry when 'Coffee' then '[-0.4,0.6,-0.7]' else '[1,0.02,0]' end)::vector"
            " from entries where entry in ('Ski Aspen', 'Coffee')"
        )
        connection.execute("insert into users (user_id) values ('diluted')")
        connection.execute(
            "insert into activity (user_key, entry_key, frequency)"
            " select user_key, entry_key, case entry when 'Coffee' then 30 else 2 end"
            " from users, entries where user_id = 'diluted' and entry in ('Ski Aspen', 'Coffee')"
        )
        refresh(connection)
        ranks = {
            mode: [user for user, *_ in axis(connection, mode)].index("diluted")
            if "diluted" in [user for user, *_ in axis(connection, mode)]
            else 99
            for mode in ("mean", "hybrid", "evidence")
        }
    assert ranks["evidence"] == 0
    assert ranks["hybrid"] < 3 < ranks["mean"]


@pytest.mark.parametrize(
    "arguments",
    ["mode => 'magic'", "mode => null", "breadth => 0.2", "evidence_weight => -1", "k => -1", "filter => '3'"],
)
def test_arguments_that_make_no_sense(toy: str, arguments: str) -> None:
    with connect(toy) as connection, pytest.raises(psycopg.errors.InvalidParameterValue):
        connection.execute(f"select * from search_users('ski', {arguments})".encode())


# Policies


@pytest.mark.parametrize(
    "change", ["breadth = 0.2", "breadth = 2", "evidence_weight = -1", "half_life = '0'", "half_life = '-1 day'"]
)
def test_policies_that_make_no_sense(toy: str, change: str) -> None:
    with connect(toy) as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(f"update space set {change}".encode())


def test_the_policies_of_a_space_are_the_defaults(retail: str) -> None:
    query = "select user_id, score from search_users(%s, k => 20{})"
    with connect(retail) as connection:
        given = connection.execute(query.format(", breadth => 0.6, evidence_weight => 1").encode(), [QUERY]).fetchall()
        connection.execute("update space set breadth = 0.6, evidence_weight = 1")
        assert connection.execute("select stale from status").fetchone() == (True,)
        connection.execute("call refresh()")
        kept = connection.execute(query.format("").encode(), [QUERY]).fetchall()
        connection.rollback()
    assert [user for user, _ in kept] == [user for user, _ in given]
    assert [score for _, score in kept] == pytest.approx([score for _, score in given], abs=1e-4)


def test_half_life(toy: str) -> None:
    """bob's skiing is two half-lives old: it weighs a quarter; what has no time does not fade."""
    now = datetime.now(UTC)
    with connect(toy) as connection:
        connection.execute(
            "update activity a set last_at = %s from users u, entries e"
            " where u.user_id = 'bob' and e.entry = 'Ski Aspen'"
            " and (a.user_key, a.entry_key) = (u.user_key, e.entry_key)",
            [now - timedelta(days=60)],
        )
        connection.execute("update space set half_life = '30 days'")
        connection.commit()
        refresh(connection)
        found = dict(
            connection.execute(
                "select e.entry, w.weight from weighted_activity w join users u using (user_key)"
                " join entries e using (entry_key) where u.user_id = 'bob'"
            ).fetchall()
        )
        assert found["Ski Aspen"] == pytest.approx(np.log1p(6) / 4, rel=1e-4)
        assert found["Coffee Bar"] == pytest.approx(np.log1p(30))
        (vector,) = (
            connection.execute("select embedding::real[] from user_vectors where user_id = 'bob'").fetchone() or ()
        )
        expected = np.array([np.log1p(6) / 4, 0, np.log1p(30)])
        assert vector == pytest.approx((expected / np.linalg.norm(expected)).tolist(), abs=1e-4)
        total = connection.execute("select weight from user_vectors where user_id = 'bob'").fetchone() or (0,)
        assert total[0] == pytest.approx(expected.sum(), rel=1e-4)
        before = connection.execute("select weighted_at from space").fetchone()
        connection.execute("refresh materialized view concurrently user_vectors")
        assert connection.execute("select weighted_at from space").fetchone() == before
