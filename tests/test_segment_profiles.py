"""What describe_run says of segments, against numpy, scikit-learn and scipy, on made-up users."""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from psycopg import Connection
from psycopg.rows import TupleRow
from scipy.stats import kruskal
from scipy.stats.contingency import association
from sklearn.metrics import normalized_mutual_info_score

from conftest import Cluster, connect, migrate_toy, shared

USERS, ENTRIES, K = 300, 40, 4

RUN = """
insert into segmentations (segmentation) values ('interests');
insert into segmentation_runs (
    segmentation, method, k, parameters, warm_start, users, iterations, inertia, published_at
)
values ('interests', 'kmeans', 4, '{}', false, 300, 1, 1, now());
update segmentations set published_run_id = 1;
insert into run_segments (run_id, segment_id, users, share, cohesion, centroid)
select 1, s, 75, 0.25, 1, l2_normalize(format('[1,%s,%s]', s, s % 3)::vector) from generate_series(1, 4) s;
"""


def made_up() -> tuple[NDArray[np.int64], NDArray[np.float64], list[dict[str, object]]]:
    """The segment of every user, the frequency of every entry for every user, and their attributes."""
    random = np.random.default_rng(7)
    segments = random.integers(1, K + 1, USERS)
    likes = random.gamma(0.3, size=(K + 1, ENTRIES))
    frequencies = random.poisson(likes[segments]) + (random.random((USERS, ENTRIES)) < 0.02) * 2.5
    frequencies[:, 0] = 1
    attributes: list[dict[str, object]] = []
    for user, segment in enumerate(segments):
        attributes.append({
            "age": int(20 + 5 * segment + random.integers(0, 20)),
            "score": float(random.normal()),
            "country": random.choice(["France", "Spain", "Italy"], p=np.roll([0.6, 0.3, 0.1], segment)),
            "member": bool(random.random() < 0.5),
            "email": f"user{user}@example.org",
            "plan": "the same",
            "size": random.choice(["1", "2", "5+"]),
            "zip": f"0{1067 + user % 9}",
            "sku": f"{user % 7}E1",
            "nothing": None,
            "tags": ["a"],
        })  # fmt: skip
        if user % 3 == 0:
            del attributes[-1]["age"], attributes[-1]["country"]
    return segments, frequencies, attributes


@pytest.fixture
def described(cluster: Cluster) -> str:
    """A space with the made-up users and a run that is described."""

    def fill(url: str) -> None:
        migrate_toy(url)
        segments, frequencies, attributes = made_up()
        with connect(url) as connection:
            cursor = connection.cursor()
            cursor.executemany(
                "insert into users (user_id, attributes) values (%s, %s)",
                [(f"user{user}", json.dumps(values)) for user, values in enumerate(attributes)],
            )
            cursor.execute("insert into entries (entry) select format('thing %s', n) from generate_series(0, 39) n")
            cursor.execute(
                "insert into entry_vectors (entry_key, embedding)"
                " select entry_key, l2_normalize(format('[1,%s,%s]', entry_key % 7, entry_key % 5)::vector)"
                " from entries"
            )
            cursor.executemany(
                "insert into activity (user_key, entry_key, frequency)"
                " select user_key, entry_key, %s from users, entries where (user_id, entry) = (%s, %s)",
                [
                    (frequencies[user, entry], f"user{user}", f"thing {entry}")
                    for user, entry in zip(*np.nonzero(frequencies), strict=True)
                ],
            )
            cursor.execute("call refresh()")
            cursor.execute(RUN)
            cursor.executemany(
                "insert into segment_assignments (run_id, user_key, segment_id, similarity)"
                " select 1, v.user_key, segment_id, 1 - (v.embedding <=> s.centroid)"
                " from user_vectors v, run_segments s where (v.user_id, s.segment_id) = (%s, %s)",
                [(f"user{user}", segment) for user, segment in enumerate(segments)],
            )
            cursor.execute("call describe_run(1)")

    return cluster.clone("described", fill)


@pytest.mark.slow
@pytest.mark.parametrize("half_lives", [0, 2])
def test_entries(described: str, half_lives: int) -> None:
    """Monroe, Colaresi and Quinn 2008, equations 16, 20 and 21; one of the things may be some half-lives old."""
    segments, frequencies, _ = made_up()
    weights = np.log1p(frequencies)
    weights[:, 3] *= 0.5**half_lives
    prior = weights.sum(0) / K
    with connect(described) as connection:
        if half_lives:
            connection.execute("update space set half_life = '30 days'")
            connection.execute(
                "update activity a set last_at = s.weighted_at - %s * interval '30 days'"
                " from entries e, space s where e.entry = 'thing 3' and e.entry_key = a.entry_key",
                [half_lives],
            )
            connection.execute("call describe_run(1)")
        found = connection.execute(
            "select segment_id, entry, users, share, overall_share, lift, log_odds, z_score from segment_entries"
        ).fetchall()
    assert {(segment, entry) for segment, entry, *_ in found} == {
        (segment, f"thing {entry}")
        for segment in range(1, K + 1)
        for entry in range(ENTRIES)
        if (frequencies[segments == segment, entry] > 0).sum() > 1
    }
    for segment, entry, *figures in found:
        column, inside = int(entry.removeprefix("thing ")), segments == segment
        users = (frequencies[inside, column] > 0).sum()
        share, overall_share = users / inside.sum(), (frequencies[:, column] > 0).mean()
        counts = [weights[members].sum(0) + prior for members in (inside, ~inside)]
        odds = [count[column] / (count.sum() - count[column]) for count in counts]
        log_odds = np.log(odds[0] / odds[1])
        z_score = log_odds / np.sqrt(sum(1 / count[column] for count in counts))
        expected = [users, share, overall_share, share / overall_share, log_odds, z_score]
        np.testing.assert_allclose(figures, expected, rtol=1e-9, atol=1e-12)


def test_attributes(described: str) -> None:
    segments, _, attributes = made_up()
    ages = np.array([float(str(values.get("age", "nan"))) for values in attributes])
    with connect(described) as connection:
        found = connection.execute(
            "select segment_id, users, mean, median, overall_mean, overall_median from segment_attributes"
            " where attribute = 'age' and value is null order by segment_id"
        ).fetchall()
        categories = connection.execute(
            "select segment_id, value, users, share, overall_share, lift from segment_attributes"
            " where attribute = 'country'"
        ).fetchall()
        told = connection.execute("select distinct attribute from segment_attributes order by 1").fetchall()
    expected = [
        (s, np.isfinite(x).sum(), np.nanmean(x), np.nanmedian(x), np.nanmean(ages), np.nanmedian(ages))
        for s in range(1, K + 1)
        for x in [ages[segments == s]]
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert [attribute for (attribute,) in told] == ["age", "country", "member", "plan", "score", "size", "sku", "zip"]

    countries = np.array([values.get("country", "") for values in attributes])
    for segment, value, *figures in categories:
        known = (segments == segment) & (countries != "")
        users = (known & (countries == value)).sum()
        share, overall_share = users / known.sum(), (countries == value).sum() / (countries != "").sum()
        np.testing.assert_allclose(figures, [users, share, overall_share, share / overall_share], rtol=1e-9)


def corrected_cramers_v(segments: NDArray[np.int64], values: NDArray[np.str_]) -> float:
    """Cramér's V with the correction of Bergsma (2013), from that of scipy."""
    table = np.array(
        [[((segments == s) & (values == v)).sum() for v in np.unique(values)] for s in np.unique(segments)]
    )
    n, (r, c) = table.sum(), table.shape
    phi_squared = association(table, method="cramer") ** 2 * min(r - 1, c - 1) - (r - 1) * (c - 1) / (n - 1)
    width = min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1
    return float(np.sqrt(max(phi_squared, 0) / width))


def test_drivers(described: str) -> None:
    segments, _, attributes = made_up()
    with connect(described) as connection:
        found = {
            attribute: figures
            for attribute, *figures in connection.execute(
                "select attribute, kind, users, mutual_information, cramers_v, eta_squared from segment_drivers"
            )
        }
    assert found.keys() == {"age", "country", "member", "plan", "score", "size", "sku", "zip"}
    for attribute in ("country", "member", "size", "sku", "zip"):
        known = np.array([attribute in values for values in attributes])
        values = np.array([str(values[attribute]) for values in attributes if attribute in values])
        kind, users, information, cramers_v, eta_squared = found[attribute]
        assert (kind, users, eta_squared) == ("category", known.sum(), None)
        assert information == pytest.approx(normalized_mutual_info_score(segments[known], values), rel=1e-9)
        assert cramers_v == pytest.approx(corrected_cramers_v(segments[known], values), rel=1e-9, abs=1e-12)
    assert found["plan"] == ["category", USERS, 0, 0, None]
    for attribute in ("age", "score"):
        known = np.array([attribute in values for values in attributes])
        numbers = np.array([float(str(values[attribute])) for values in attributes if attribute in values])
        groups = [numbers[segments[known] == s] for s in range(1, K + 1)]
        kind, users, information, cramers_v, eta_squared = found[attribute]
        assert (kind, users, information, cramers_v) == ("number", known.sum(), None, None)
        assert eta_squared == pytest.approx(kruskal(*groups).statistic / (len(numbers) - 1), rel=1e-9)


def test_a_few_rich_customers_do_not_drive_segments(described: str) -> None:
    """One account of a million in a segment of all alike: η² of the numbers themselves would be near its most."""
    with connect(described) as connection:
        connection.execute(
            "update users u set attributes = jsonb_build_object('balance', u.user_key % 7, 'rich', case"
            " when u.user_key = (select min(m.user_key) from segment_assignments m where m.segment_id = 1) then 1e6"
            " else u.user_key % 7 end)"
        )
        connection.execute("call describe_run(1)")
        balance, rich = connection.execute(
            "select eta_squared from segment_drivers where attribute in ('balance', 'rich') order by attribute"
        ).fetchall()
    assert rich[0] == pytest.approx(balance[0], abs=0.01)


def test_accounts_of_a_bank(described: str) -> None:
    """Balances of real customers by their education, as scipy judges them."""
    with gzip.open(shared("bank-marketing/users.csv.gz"), "rt") as file:
        rows = list(csv.DictReader(file))[:4000]
    balances = [int(row["balance"]) for row in rows]
    groups = [["primary", "secondary", "tertiary", "unknown"].index(row["education"]) + 1 for row in rows]
    with connect(described) as connection:
        connection.execute("delete from users")
        connection.execute(
            "insert into users (user_id, attributes)"
            " select n, jsonb_build_object('balance', b) from unnest(%s::bigint[]) with ordinality u (b, n)",
            [balances],
        )
        connection.execute(
            "insert into segment_assignments (run_id, user_key, segment_id, similarity)"
            " select 1, u.user_key, s, 1 from unnest(%s::bigint[]) with ordinality g (s, n)"
            " join users u on u.user_id = g.n::text",
            [groups],
        )
        connection.execute("call describe_run(1)")
        found = connection.execute("select eta_squared from segment_drivers where attribute = 'balance'").fetchone()
    by_group = [[b for b, g in zip(balances, groups, strict=True) if g == group] for group in range(1, 5)]
    assert found == pytest.approx((kruskal(*by_group).statistic / (len(balances) - 1),), rel=1e-9)


def test_contributions_add_up(described: str) -> None:
    with connect(described) as connection:
        found = connection.execute("""
            select m.similarity, sum(e.contribution)
            from segment_members m
            cross join lateral explain_segment('interests', m.user_id) e
            group by m.user_id, m.similarity
        """).fetchall()
    assert len(found) == USERS
    similarities, sums = np.array(found).T
    np.testing.assert_allclose(sums, similarities, atol=1e-6)


def test_describing_again_changes_nothing(described: str) -> None:
    """But the last digits, which follow the order in which a plan adds up."""
    tables = ("run_entries", "run_attributes", "run_drivers", "segments")

    def said(connection: Connection[TupleRow], number: Callable[[str], object]) -> list[object]:
        rows: list[object] = []
        for table in tables:
            query = f"select (to_jsonb(t) - 'attribute_key')::text from {table} t order by t::text collate \"C\""
            rows += [json.loads(row, parse_float=number) for (row,) in connection.execute(query)]
        return rows

    with connect(described) as connection:
        before = said(connection, lambda digits: pytest.approx(float(digits), rel=1e-9, abs=1e-12))
        connection.execute("analyze")
        connection.execute("set enable_hashagg = off")
        connection.execute("call describe_run(1)")
        assert said(connection, float) == before


def test_names_are_distinct_and_short(described: str) -> None:
    """Even where the segments have the same words, a word is endless, or there is none."""
    with connect(described) as connection:
        connection.execute("update entries set entry = repeat('very', 30) || ' Tea Time' where entry = 'thing 1'")
        connection.execute(
            "insert into segment_names (segmentation, segment_id, name) values ('interests', 9, 'Thing')"
        )
        connection.execute("call describe_run(1)")
        names = [name for (name,) in connection.execute("select name from segments order by segment_id")]
        connection.execute("update entries set entry = 4000 + entry_key")
        connection.execute("call describe_run(1)")
        wordless = [name for (name,) in connection.execute("select name from segments order by segment_id")]
        connection.execute("update entries set entry = repeat('x', 60) || entry_key")
        connection.execute("call describe_run(1)")
        endless = [name for (name,) in connection.execute("select name from segments order by segment_id")]
    assert len({name.lower() for name in [*names, "Thing"]}) == K + 1
    assert max(len(name) for name in names) <= 60
    assert all(re.fullmatch(r"4\d{3}, 4\d{3}, 4\d{3}", name) for name in wordless)
    assert endless == ["Segment 1", "Segment 2", "Segment 3", "Segment 4"]


REBUILT = """
insert into segmentation_runs (
    segmentation, method, k, parameters, warm_start, users, iterations, inertia, previous_run_id
)
values ('interests', 'kmeans', 4, '{}', true, 300, 1, 1, 1);
insert into run_segments (run_id, segment_id, users, share, cohesion, centroid)
select 2, case segment_id when 4 then 5 else segment_id end, users, share, cohesion, centroid from run_segments;
insert into segment_assignments (run_id, user_key, segment_id, similarity)
select 2, user_key, case segment_id when 4 then 5 else segment_id end, similarity from segment_assignments;
"""


def test_segments_that_live_on_keep_their_names(described: str) -> None:
    names = "select segment_id, name from run_segments where run_id = %s"
    with connect(described) as connection:
        connection.execute(REBUILT)
        before = dict(connection.execute(names, [1]).fetchall())
        connection.execute("call describe_run(2)")
        after = dict(connection.execute(names, [2]).fetchall())
        connection.execute("update entries set entry = 'another ' || entry")
        connection.execute("call describe_run(2)")
        about_others = dict(connection.execute(names, [2]).fetchall())
    assert after.keys() == {1, 2, 3, 5}
    assert {segment: name for segment, name in after.items() if segment in before} == {
        segment: before[segment] for segment in (1, 2, 3)
    }
    assert after[5] not in before.values()
    assert not set(about_others.values()) & set(before.values())
