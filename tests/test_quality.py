"""Whom searches find: the figures of merit, planted interests, and the people of the bundled example."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import psycopg
import pytest
from judging.intervals import gain
from judging.metrics import Truth, area_under_curve, average_precision, judge, ndcg, recall
from judging.planted import DESCRIPTIONS, EXPECTED, describe, passed_queries
from judging.searching import BASELINE, DEFAULT, by_weighting, rank_all
from judging.truth import population, truths
from numpy.typing import NDArray
from pgvector.psycopg import register_vector
from sklearn.metrics import average_precision_score, ndcg_score, roc_auc_score

from conftest import Cluster, connect, migrate_toy
from pgaudience.embedding.registry import DEFAULT_MODEL, provider_for

pytestmark = pytest.mark.slow

THEMES, EVERYDAY = ("ski", "horror", "opera"), "everyday"
ENTRIES_EACH, DIMENSIONS = 30, 16
STRONG, DILUTED = 12, 30
COMPARED = (BASELINE, DEFAULT)


def test_figures_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(1)
    for _ in range(20):
        relevant = random.random(80) < 0.3
        scores = -np.arange(80.0)
        assert ndcg(relevant) == pytest.approx(ndcg_score([relevant], [scores], k=20))
        assert average_precision(relevant) == pytest.approx(average_precision_score(relevant, scores))
        assert area_under_curve(relevant) == pytest.approx(roc_auc_score(relevant, scores))


def test_small_cases_of_figures() -> None:
    yes, no = np.array([True, True]), np.array([False, False])
    assert ndcg(yes) == average_precision(yes) == recall(yes, 2) == 1
    assert recall(yes, 1) == 0.5
    assert all(np.isnan(value) for value in (ndcg(no), average_precision(no), recall(no, 1), area_under_curve(no)))


def test_the_composite_is_the_mean_of_six() -> None:
    strong, diluted, none = np.eye(3, dtype=np.bool_).repeat(4, axis=1)
    truth = Truth(strong, diluted, strong | diluted, none, strata=np.tile([0, 1], 6))
    best = judge(np.arange(12), truth)
    assert best.pop("precision_at_20") == pytest.approx(4 / 12)
    assert best.pop("precision_at_500") == pytest.approx(8 / 12)
    assert best.pop("recall_at_1000") == 1
    best_comp = best.pop("comp")
    assert best_comp == pytest.approx((5 + 4 / 12) / 6)
    assert list(best.values()) == pytest.approx([1.0] * 5)
    worst = judge(np.arange(12)[::-1], truth)
    assert worst["diluted_auc"] == 0
    assert worst["comp"] < best_comp


def test_intervals_hold_the_gain_and_repeat() -> None:
    values = np.random.default_rng(2).random(30)
    found = gain(values + 0.1, values)
    assert found == {"gain": 0.1, "interval": [0.1, 0.1]}
    spread = gain(values, np.zeros(30))
    assert spread == gain(values, np.zeros(30))
    low, high = spread["interval"]
    assert low < spread["gain"] < high


@dataclass(frozen=True)
class Planted:
    """A space of everyday life and three interests, of which each user has one at most."""

    connection: psycopg.Connection
    labels: list[tuple[str, str]]
    queries: NDArray[np.float32]


@pytest.fixture
def planted(cluster: Cluster) -> Iterator[Planted]:
    random = np.random.default_rng(3)
    topics = (*THEMES, EVERYDAY)
    centres = np.linalg.qr(random.normal(size=(DIMENSIONS, DIMENSIONS)))[0][: len(topics)]
    labels = [(topic, f"{topic} {number}") for topic in topics for number in range(ENTRIES_EACH)]
    vectors = np.repeat(centres, ENTRIES_EACH, axis=0) + random.normal(scale=0.25, size=(len(labels), DIMENSIONS))
    with connect(cluster.clone("planted", lambda url: migrate_toy(url, dimensions=DIMENSIONS))) as connection:
        register_vector(connection)
        connection.execute("insert into entries (entry) select unnest(%s::text[])", [[entry for _, entry in labels]])
        for (_, entry), vector in zip(labels, vectors, strict=True):
            connection.execute(
                "insert into entry_vectors (entry_key, embedding)"
                " select entry_key, l2_normalize(%s) from entries where entry = %s",
                [vector, entry],
            )
        for user, entries in _people(random):
            connection.execute("insert into users (user_id) values (%s)", [user])
            connection.execute(
                "insert into activity (user_key, entry_key, frequency)"
                " select u.user_key, e.entry_key, a.frequency"
                " from unnest(%s::text[], %s::float8[]) a (entry, frequency)"
                " join entries e using (entry) cross join users u where u.user_id = %s",
                [list(entries), list(entries.values()), user],
            )
        connection.commit()
        yield Planted(connection, labels, centres.astype(np.float32))


def _people(random: np.random.Generator) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield users of ten everyday entries; the diluted have two of a theme beside many of them, the strong eight."""
    kinds = [("strong", STRONG, 8, 3), ("diluted", DILUTED, 2, 30)]
    for theme in THEMES:
        for kind, users, interests, everyday_frequency in kinds:
            for number in range(users):
                entries = {f"{theme} {n}": 3.0 for n in random.permutation(ENTRIES_EACH)[:interests]}
                everyday = random.permutation(ENTRIES_EACH)[:10]
                entries |= {f"{EVERYDAY} {n}": float(random.integers(1, 2 * everyday_frequency)) for n in everyday}
                yield f"{theme} {kind} {number}", entries


def test_the_default_finds_whom_the_mean_loses(planted: Planted) -> None:
    connection = planted.connection
    found = {search: rank_all(connection, search, planted.queries) for search in by_weighting(connection, COMPARED)}
    judged = population(connection)
    known = truths(connection, judged, planted.labels)
    assert tuple(sorted(known)) == tuple(sorted(THEMES))

    for theme, lists in zip(THEMES, zip(*(found[search] for search in COMPARED), strict=True), strict=False):
        truth = known[theme]
        planted_users = {user for user in judged.places if user.startswith(f"{theme} diluted")}
        assert {user for user, place in judged.places.items() if truth.diluted[place]} == planted_users
        assert truth.strong.sum() == STRONG
        mean, default = (judge(judged.order(users), truth) for users in lists)
        assert default["average_precision_strong"] == mean["average_precision_strong"] == 1
        assert default["diluted_recall"] >= mean["diluted_recall"]
        assert default["diluted_auc"] > mean["diluted_auc"] + 0.1
        assert default["comp"] > mean["comp"] + 0.05


def test_the_people_of_the_example_are_found(places: str) -> None:
    with connect(places) as connection:
        register_vector(connection)
        passed = passed_queries(connection, provider_for(DEFAULT_MODEL))
    assert passed[BASELINE.name] == ["parent"]
    assert passed["log mean"] == ["horror", "ski", "parent"]
    assert passed[DEFAULT.name] == ["horror", "ski", "Taylor Swift", "parent"]


def test_descriptions_find_what_names_do_not_say(places: str) -> None:
    with DESCRIPTIONS.open(encoding="utf-8", newline="") as file:
        said = " ".join(row["description"] for row in csv.DictReader(file)).lower()
    assert not {word for query in EXPECTED for word in query.lower().split()} & set(re.findall(r"\w+", said))
    with connect(places) as connection:
        register_vector(connection)
        provider = provider_for(DEFAULT_MODEL)
        describe(connection, provider)
        assert passed_queries(connection, provider)[DEFAULT.name] == list(EXPECTED)
