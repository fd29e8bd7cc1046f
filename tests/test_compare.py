"""Comparisons of spaces over the same people, checked against numpy."""

from __future__ import annotations

import json

import numpy as np
import psycopg
import pytest
from click.testing import CliRunner

from conftest import Cluster, migrate_toy
from pgaudience.cli import cli
from test_attributes import derive as derive_known
from test_attributes import trained as trained_known
from test_behaviour import fill_taste, rows

pytestmark = [pytest.mark.slow, pytest.mark.newest]

EVERYBODY = "array(select user_key from user_vectors order by user_key)"


def fill_family(url: str) -> None:
    """The forty users, whose even and odd halves go together, beside a space of what is known of them."""
    fill_taste(url)
    rows(url, """
        update users set attributes = jsonb_build_object('side', user_key % 2, 'age', 20 + user_key % 7);
        update entries set attributes = jsonb_build_object('side', entry_key % 2);
        insert into attribute_kinds values ('users', 'side', 'text'), ('users', 'age', 'number');
        update users set attributes = jsonb_set(attributes, '{side}', to_jsonb(attributes ->> 'side'))""",
         "audience")  # fmt: skip
    derive_known(url, 6)
    trained_known(url)
    rows(url, "call refresh()", "taste")
    rows(url, "call refresh()", "audience")


@pytest.fixture
def family(cluster: Cluster) -> str:
    """The spaces audience, taste and known, of which texts tell nothing of who has what."""
    return cluster.clone("compared", fill_family)


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def halves(url: str) -> list[tuple[int, int, float, bool, list[float]]]:
    return rows(
        url,
        f"select h.*, v.embedding::real[] from halve_activity({EVERYBODY}) h join entry_vectors v using (entry_key)",
    )


def test_reidentification_is_that_of_numpy(family: str) -> None:
    """Every user's second half is ranked among all of them by cosine to the first, as seen from the average user."""
    (average,) = rows(family, "select embedding::real[] from average_user")[0]
    sums: dict[tuple[bool, int], np.ndarray] = {}
    for user, _, weight, is_second, vector in halves(family):
        sums[is_second, user] = sums.get((is_second, user), 0) + weight * np.array(vector)
    users = sorted({user for _, user in sums})
    first, second = (
        unit(unit(np.array([sums[half, user] for user in users])) - np.array(average)) for half in (False, True)
    )
    found = first @ second.T
    ranks = 1 + (found > found.diagonal()[:, None]).sum(axis=1)
    ((mrr, margin),) = rows(
        family, f"select reidentification, reidentification_margin from judge_halves({EVERYBODY}, 2)"
    )
    assert mrr == pytest.approx((1 / ranks).mean(), rel=1e-3)
    assert margin == pytest.approx(1.96 * (1 / ranks).std(ddof=1) / np.sqrt(len(ranks)), rel=1e-3)


def test_halves_are_halves_and_the_same_in_every_space(family: str) -> None:
    query = f"select user_key, entry_key, is_second from halve_activity({EVERYBODY}) order by 1, 2"
    cut = rows(family, query)
    assert cut == rows(family, query, "audience")
    sizes: dict[int, list[int]] = {}
    for user, _, is_second in cut:
        sizes.setdefault(user, [0, 0])[is_second] += 1
    assert all(0 <= first - second <= 1 for first, second in sizes.values())
    assert cut != rows(family, query.replace("order by u", "order by u").replace(")) order", "), 1) order"))


def test_bits_are_what_the_segment_tells(family: str) -> None:
    """Of the two kinds of people, and two segments; nothing is gained by one segment, nor by one of chance."""
    (bits,) = rows(family, f"select bits from judge_halves({EVERYBODY}, 2)")[0]
    counts = np.zeros((2, 20))
    seconds: dict[int, list[int]] = {}
    for user, entry, _, is_second, _ in halves(family):
        if is_second:
            seconds.setdefault(user, []).append(entry - 1)
        else:
            counts[user % 2, entry - 1] += 1
    shares = (counts.sum(axis=0) + 1) / (counts.sum() + 20)
    everybody = (counts.sum(axis=0) + 20 * shares) / (counts.sum() + 20)
    kinds = (counts + 20 * shares) / (counts.sum(axis=1, keepdims=True) + 20)
    gains = [np.log2(kinds[user % 2, some] / everybody[some]).mean() for user, some in seconds.items()]
    assert bits == pytest.approx(np.mean(gains), abs=0.02)
    assert bits > 0.3
    assert rows(family, f"select bits from judge_halves({EVERYBODY}, 1)")[0][0] == pytest.approx(0, abs=1e-9)
    rows(family, "update entry_vectors set embedding = l2_normalize(array[sin(7 * entry_key ^ 2), cos(5 * entry_key),"
                 " sin(3 * entry_key ^ 2), cos(entry_key ^ 2)]::real[]::vector); call refresh()")  # fmt: skip
    assert rows(family, f"select bits from judge_halves({EVERYBODY}, 2)")[0][0] < 0.1


def test_spaces_beside_each_other(family: str) -> None:
    compared = rows(
        family,
        "select space, users, coverage, reidentification, bits, lift, silhouette, stability, label_silhouette, seconds,"
        " bytes from compare_spaces(array['audience', 'taste'], k => 2, group_filter => '{\"side\": \"1\"}',"
        " label => 'side')",
        "audience",
    )
    text, taste = (dict(zip(("users", "coverage", "reid", "bits", "lift", "silhouette", "stability", "labels",
                             "seconds", "bytes"), row[1:], strict=True)) for row in compared)  # fmt: skip
    assert [row[0] for row in compared] == ["audience", "taste"]
    assert text["users"] == taste["users"] == 40
    assert text["coverage"] == taste["coverage"] == 1
    assert taste["bits"] > text["bits"] + 0.3
    assert taste["lift"] > text["lift"]
    assert taste["labels"] > text["labels"] + 0.3
    assert taste["silhouette"] > 0.3
    assert taste["stability"] > 0.9
    assert min(taste["seconds"], taste["bytes"], text["seconds"], text["bytes"]) > 0


def test_users_not_made_of_entries(family: str) -> None:
    """Their segments are judged as they are; halves of what they have are nobody."""
    ((reid, bits, labels),) = rows(
        family,
        "select reidentification, bits, label_silhouette from compare_spaces(array['known'], k => 2)",
    )
    assert reid is None
    assert bits is not None
    assert labels is None


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        ("array['nowhere']", "there is no space 'nowhere'"),
        ("array['audience'], group_filter => '{\"side\": \"9\"}'", "^0 users with a vector in each space have"),
        ("array['audience'], group_filter => '[]'", "filter is a JSON object"),
        ("array['audience'], label => 'colour'", "no entry with a vector has an attribute 'colour'"),
        ("array['audience'], k => 40", "40 users have a vector in each space, which are too few for 40 segments"),
        ("array['audience'], k => 0", "k is the number of segments, 2 or more, not 0"),
        ("array['audience', 'other']", "these spaces are not over the same people: audience, other"),
        ("array[]::text[]", "name a space or more"),
        ("null", "name a space or more"),
    ],
)
def test_comparisons_that_cannot_be(family: str, call: str, problem: str) -> None:
    if "other" in call:
        migrate_toy(family, "other")
    with pytest.raises(psycopg.Error, match=problem):
        rows(family, f"select * from compare_spaces({call})", "audience")


def test_the_command(family: str) -> None:
    command = ["--database", family, "--schema", "taste", "compare", "-k", "2"]
    table = CliRunner().invoke(cli, command, catch_exceptions=False).stdout.splitlines()[1:]
    assert table[0].split() == [
        "space", "users", "coverage", "re-id", "bits", "lift", "silhouette", "stability", "labels", "ms",
        "bytes",
    ]  # fmt: skip
    assert [line.split()[0] for line in table[2:] if line] == ["audience", "known", "taste"]
    found = json.loads(CliRunner().invoke(cli, [*command, "taste", "--json"], catch_exceptions=False).stdout)
    assert [space["space"] for space in found] == ["taste"]
    assert found[0]["bits"] > 0.3
