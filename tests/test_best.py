"""The best k of a search are the best: the first of any longer answer, in every mode, with every knob and filter."""

from __future__ import annotations

from itertools import product

import numpy as np
import psycopg
import pytest
from pgvector.psycopg import register_vector

from conftest import Cluster, connect, migrate_toy
from pgaudience.refresh import refresh
from test_profiles import QUERIES, real_space

USERS, ENTRIES, DIMENSIONS = 4_000, 300, 8
LONG = 2_000
KS = (1, 20, 150)

_BEST = """
select user_id, score, matched_entries, evidence
from search_users(
    %(query)s, k => %(k)s, filter => %(filter)s, mode => %(mode)s, breadth => %(breadth)s,
    evidence_weight => %(weight)s, min_entries => %(min_entries)s, padded => %(padded)s
)
order by rank
"""


def add_entries(connection: psycopg.Connection, vectors: np.ndarray) -> None:
    """Add entries called e1, e2, … with these vectors, at unit length."""
    register_vector(connection)
    connection.execute(
        "insert into entries (entry) select 'e' || n from generate_series(1, %s) n order by n", [len(vectors)]
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into entry_vectors (entry_key, embedding)"
            " select entry_key, l2_normalize(%s) from entries where entry = 'e' || %s",
            [(vector, number + 1) for number, vector in enumerate(vectors)],
        )


def add_activity(connection: psycopg.Connection, activity: list[tuple[str, int, float]]) -> None:
    """Add what users did, with entries by number from 1."""
    users, entries, frequencies = map(list, zip(*activity, strict=True))
    connection.execute(
        "insert into users (user_id) select u from (select distinct unnest(%s::text[]) u) u order by u", [users]
    )
    connection.execute(
        "insert into activity (user_key, entry_key, frequency)"
        " select u.user_key, e.entry_key, sum(a.frequency)"
        " from unnest(%s::text[], %s::bigint[], %s::float8[]) a (user_id, number, frequency)"
        " join users u using (user_id) join entries e on e.entry = 'e' || a.number"
        " group by u.user_key, e.entry_key",
        [users, entries, frequencies],
    )


def test_a_pure_interest_comes_before_a_thousand_heavy_ones(space: str) -> None:
    """More than a thousand users have more evidence than the two whose vector is the query itself."""
    random = np.random.default_rng(0)
    strangers = random.normal(size=(60, 3)) * [0.1, 1, 1]
    with connect(space) as connection:
        add_entries(connection, np.vstack([[1, 0, 0], [0.1, 1, 0.2], strangers]))
        heavy = [(f"heavy{n}", entry, frequency) for n in range(1100) for entry, frequency in ((1, 100), (2, 60))]
        pure = [("pure", 1, 1), ("pure too", 1, 1)]
        add_activity(connection, [*heavy, *pure, *((f"stranger{n}", n + 3, 1) for n in range(60))])
        refresh(connection)
        first, rest = (
            connection.execute(
                "select user_id from search_users("
                "'[1,0,0]'::vector, k => %s, breadth => 0.5, evidence_weight => 0.3) order by rank",
                [k],
            ).fetchall()
            for k in (4, 2000)
        )
    assert first == rest[:4]
    assert [user for (user,) in first[:2]] == ["pure", "pure too"]


@pytest.fixture(scope="module")
def crowd(cluster18: Cluster) -> str:
    """Thousands of users with evidence for anything, many of them the same as another."""

    def fill(url: str) -> None:
        migrate_toy(url, dimensions=DIMENSIONS)
        random = np.random.default_rng(1)
        with connect(url) as connection:
            add_entries(connection, random.normal(size=(ENTRIES, DIMENSIONS)))
            activity = []
            for number in range(USERS):
                kind = np.random.default_rng(number if number % 3 else number // 30)
                for entry in kind.permutation(ENTRIES)[: 1 + int(kind.exponential(12))]:
                    activity.append((f"u{number}", int(entry) + 1, float(np.ceil(kind.pareto(1)))))
            add_activity(connection, activity)
            connection.execute("update users set attributes = jsonb_build_object('third', user_key % 3)")
            refresh(connection)

    return cluster18.clone("crowd", fill)


KNOBS = [
    {"mode": mode, "breadth": breadth, "weight": weight, "filter": filter_, "min_entries": fewest, "padded": padded}
    for mode, (breadth, weight), (filter_, fewest, padded) in product(
        ("hybrid", "evidence", "mean"),
        ((None, None), (0.5, 0.3), (1.0, 0.0), (0.75, 100.0)),
        (("{}", 1, True), ('{"third": 1}', 1, True), ("{}", 8, True), ('{"third": 2}', 3, False)),
    )
    if mode != "mean" or (breadth is None and padded)
]


def check_prefixes(connection: psycopg.Connection, query: object, knobs: dict[str, object], long: int = LONG) -> int:
    """Check short answers against a long one, and return how long that is."""
    best = {k: connection.execute(_BEST, {"query": query, "k": k, **knobs}).fetchall() for k in (*KS, long)}
    for k in KS:
        assert best[k] == best[long][:k], (k, knobs)
    return len(best[long])


@pytest.mark.parametrize("knobs", KNOBS, ids=lambda knobs: "-".join(map(str, knobs.values())))
def test_a_short_answer_begins_a_long_one(crowd: str, knobs: dict[str, object]) -> None:
    random = np.random.default_rng(2)
    with connect(crowd) as connection:
        register_vector(connection)
        for query in random.normal(size=(2, DIMENSIONS)).astype(np.float32):
            assert check_prefixes(connection, query, knobs) > max(KS)


@pytest.mark.parametrize("breadth", [None, 0.75])
def test_evidence_adds_up_to_the_last_bit(crowd: str, breadth: float | None) -> None:
    """Whatever the plan, and whatever the order of the entries."""
    with connect(crowd) as connection:
        found = []
        for setting, entries in product(
            ("enable_hashjoin = on", "enable_hashjoin = off", "enable_mergejoin = off", "enable_nestloop = off"),
            ([*range(1, 61)], [*range(60, 0, -1)]),
        ):
            connection.execute(f"set {setting}")
            found += connection.execute(
                "select * from user_evidence(%s::bigint[], %s::float8[], %s)",
                [entries, [1 / (entry + 3) for entry in entries], breadth],
            ).fetchall()
    assert len(found[0][0]) > LONG
    assert all(evidence == found[0] for evidence in found)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["places.json", "retail.csv.gz", "completejourney", "instacart-sample"])
def test_on_real_people(cluster18: Cluster, name: str) -> None:
    with connect(real_space(cluster18, name)) as connection:
        refresh(connection)
        connection.execute("update users set attributes = jsonb_build_object('third', user_key % 3)")
        for knobs, query in product(KNOBS[::3], QUERIES):
            check_prefixes(connection, query, knobs, long=5_000)
