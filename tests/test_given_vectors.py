"""Spaces of vectors that were made elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import psycopg
import pytest
from click.testing import CliRunner

from conftest import Cluster, connect
from pgaudience.checking import run_checks
from pgaudience.cli import cli
from pgaudience.database import open_space
from pgaudience.embedding.registry import measure
from pgaudience.errors import PgaudienceError
from pgaudience.installing import migrate
from pgaudience.learning import learn, training_due
from pgaudience.pipeline import catch_up
from test_behaviour import fill_taste, rows

pytestmark = pytest.mark.newest

Lines = list[dict[str, object]]


def fill_given(url: str) -> None:
    fill_taste(url)
    migrate(
        url, "given", model="vectors", weighting=None, of="audience",
        measure=lambda model: measure(model, dimensions=2),
    )  # fmt: skip


@pytest.fixture
def given(cluster: Cluster) -> str:
    """A space of two dimensions with no vectors yet, over the forty users of the tests of behaviour."""
    return cluster.clone("given", fill_given)


def load(url: str, *args: object, problem: str | None = None, schema: str = "given") -> str:
    """Run the command, and return what it says, or find in it the problem that stops it."""
    command = ["--database", url, "--schema", schema, "load", *map(str, args)]
    if problem is None:
        return CliRunner().invoke(cli, command, catch_exceptions=False).stderr
    with pytest.raises(PgaudienceError, match=problem):
        CliRunner().invoke(cli, command, catch_exceptions=False)
    return ""


def written(path: Path, lines: Lines) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def circle(count: int) -> np.ndarray:
    angles = np.linspace(0, 3, count)
    return np.stack([3 * np.cos(angles), 3 * np.sin(angles)], axis=1)


def of_users(count: int = 40) -> Lines:
    return [{"user_id": f" user_{n}", "vector": vector} for n, vector in enumerate(circle(count).tolist())]


def of_entries() -> Lines:
    names = [f"{'ski' if n < 10 else 'horror'} {n}" for n in range(20)]
    return [{"item": name, "embedding": vector} for name, vector in zip(names, circle(20).tolist(), strict=True)]


@pytest.mark.slow
def test_vectors_of_users(given: str, tmp_path: Path) -> None:
    said = load(given, "--vectors", written(tmp_path / "states.jsonl", of_users()))
    assert "states.jsonl: 40 rows read, 40 accepted, 0 rejected\n40 users have the vectors of the file\n" in said
    found = rows(given, "select user_id, embedding::real[] from user_vectors", "given")
    expected = {line["user_id"]: vector / 3 for line, vector in zip(of_users(), circle(40), strict=True)}
    assert len(found) == 40
    for user, vector in found:
        np.testing.assert_allclose(vector, expected[f" {user}"], atol=1e-6)
    assert rows(given, "select user_id from similar_users('user_0', k => 2, centered => false)", "given") == [
        ("user_1",), ("user_2",),
    ]  # fmt: skip
    rows(given, "call build_segmentation('kinds', k => 2, centered => false)", "given")
    assert rows(given, "select count(*) from segment_members where segmentation = 'kinds'", "given") == [(40,)]
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="vector of user 'user_0' is not made of entries"):
        rows(given, "select * from explain_segment('kinds', 'user_0')", "given")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="no entry has a vector yet"):
        rows(given, "select * from search_users('ski')", "given")


def test_vectors_of_entries(given: str, tmp_path: Path) -> None:
    load(given, "--vectors", written(tmp_path / "items.jsonl", of_entries()))
    ((entries, coverage),) = rows(given, "select entries_embedded, coverage from status", "given")
    assert (entries, coverage) == (20, 1)
    assert rows(given, "select entry from search_entries('ski 0', k => 3)", "given") == [
        ("ski 0",), ("ski 1",), ("ski 2",),
    ]  # fmt: skip
    assert len(rows(given, "select * from search_users('ski', k => 5)", "given")) == 5
    contributions, score = rows(
        given,
        "select sum(e.contribution), (1 - (v.embedding <=> embed('ski'))) from user_vectors v,"
        " explain_match('user_0', 'ski') e where v.user_id = 'user_0' group by v.embedding",
        "given",
    )[0]
    assert contributions == pytest.approx(score, abs=1e-6)


def test_both_kinds_beside_each_other(given: str, tmp_path: Path) -> None:
    """As a model of two towers makes them: users who have a vector keep it, the others follow from their entries."""
    load(given, "--vectors", written(tmp_path / "items.jsonl", of_entries()))
    before = dict(rows(given, "select user_id, embedding::text from user_vectors", "given"))
    load(given, "--vectors", written(tmp_path / "users.jsonl", of_users(4)))
    after = dict(rows(given, "select user_id, embedding::text from user_vectors", "given"))
    assert set(after) == set(before)
    assert sorted(user for user in after if after[user] != before[user]) == [f"user_{n}" for n in range(4)]
    assert rows(given, "select entries > 0, frequency > 0 from user_vectors where user_id = 'user_0'", "given") == [
        (True, True)
    ]
    rows(given, "call forget_user('user_0')", "audience")
    assert rows(given, "select count(*) from given_user_vectors", "given") == [(3,)]
    assert rows(given, "select stale from status", "given") == [(False,)]


def test_a_file_is_the_truth_or_an_increment(given: str, tmp_path: Path) -> None:
    load(given, "--vectors", written(tmp_path / "users.jsonl", of_users(4)))
    more = written(
        tmp_path / "more.jsonl", [{"user": "user_9", "vector": [1, 0]}, {"user": "user_1", "vector": [0, 1]}]
    )
    count = "select count(*) from user_vectors"
    load(given, "--vectors", more, "--mode", "add")
    assert rows(given, count, "given") == [(5,)]
    load(given, "--vectors", more, "--no-refresh")
    assert rows(given, "select stale from status", "given") == [(True,)]
    rows(given, "call refresh()", "given")
    assert rows(given, count, "given") == [(2,)]


def test_numpy_and_parquet(given: str, tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    states = circle(40).astype(np.float32)
    np.save(tmp_path / "states.npy", states)
    (tmp_path / "who.csv").write_text("customer\n" + "".join(f"user_{n}\n" for n in range(40)))
    load(given, "--vectors", tmp_path / "states.npy", "--ids", tmp_path / "who.csv")
    stored = rows(given, "select user_key, embedding::text from given_user_vectors order by 1", "given")
    assert len(stored) == 40
    for kind in (arrow.list_(arrow.float32()), arrow.list_(arrow.float64(), 2)):
        table = arrow.table({
            "who": [f"user_{n}" for n in range(40)],
            "state": arrow.array(states.tolist(), kind),
        })  # fmt: skip
        parquet.write_table(table, tmp_path / "states.parquet")
        load(given, "--vectors", tmp_path / "states.parquet", "--user", "who")
        assert rows(given, "select user_key, embedding::text from given_user_vectors order by 1", "given") == stored
    np.save(tmp_path / "few.npy", states[:39])
    load(given, "--vectors", tmp_path / "few.npy", "--ids", tmp_path / "who.csv", problem="few.npy has 39 rows, ")
    np.save(tmp_path / "many.npy", np.concatenate([states, states]))
    load(given, "--vectors", tmp_path / "many.npy", "--ids", tmp_path / "who.csv", problem="many.npy has 80 rows, ")
    np.save(tmp_path / "words.npy", np.array(["a", "b"]))
    load(given, "--vectors", tmp_path / "words.npy", "--ids", tmp_path / "who.csv", problem="holds no numbers")
    load(given, "--vectors", tmp_path / "states.npy", problem="must be said")


def test_an_account_of_every_vector(given: str, tmp_path: Path) -> None:
    path = tmp_path / "users.jsonl"
    vectors = {
        "user_0": ["[1, 0]", "[0, 2]"], "user_1": ['"x"'], "user_2": ["[0.0, 0]"], "user_3": ["[NaN, 1]"],
        "user_4": ["[1e999, 1]"], "": ["[1, 1]"], "ghost": ["[1, 1]"], "user_5": ["null"], "user_6": ['["a", "b"]'],
        "user_7": ["[[1], [2]]"],
    }  # fmt: skip
    path.write_text("".join(
        f'{{"user": "{user}", "vector": {vector}}}\n' for user, given_ in vectors.items() for vector in given_
    ))  # fmt: skip
    said = load(given, "--vectors", path, "--rejects", tmp_path / "rejects.csv")
    assert "11 rows read, 3 accepted, 8 rejected" in said
    for reason in ("4  not a list of numbers", "2  a vector with a number that is not finite",
                   "1  a vector of zeros", "1  blank user"):  # fmt: skip
        assert f"{reason}" in said, said
    assert "1 users have the vectors of the file" in said
    assert "1 vectors are of no users in the space" in said
    assert "1 vectors gave way to a later one of the same" in said
    assert rows(given, "select embedding::text from given_user_vectors", "given") == [("[0,1]",)]


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ([{"user": "user_0", "vector": [1, 0, 0]}], "line 1: a vector has 3 dimensions, the space has 2"),
        ([{"user": "ghost", "vector": [1, 0]}], "none of the 1 vectors is of a user in the space"),
        ([{"user": "user_0", "entry": "ski 1", "vector": [1, 0]}], "those of users or of entries"),
        ([{"user": "user_0", "numbers": [1, 0]}], "looks like the vector"),
        ([{"vector": [1, 0]}], "those of users or of entries"),
    ],
)
def test_files_that_do_not_fit(given: str, tmp_path: Path, lines: Lines, problem: str) -> None:
    load(given, "--vectors", written(tmp_path / "good.jsonl", of_users(4)))
    load(given, "--vectors", written(tmp_path / "bad.jsonl", lines), problem=problem)
    assert rows(given, "select count(*) from given_user_vectors", "given") == [(4,)]


def test_it_is_neither_trained_nor_any_other_space(given: str, tmp_path: Path) -> None:
    with connect(given) as connection:
        failed = [check for check in run_checks(connection, "given") if not check.ok]
        assert ("vectors made elsewhere", "Run: pgaudience load --vectors FILE") in [
            (check.name, check.mend) for check in failed
        ]
        space = open_space(connection, "given")
        with pytest.raises(PgaudienceError, match="are made elsewhere"):
            learn(connection, space)
        assert not training_due(connection)
    path = written(tmp_path / "users.jsonl", of_users())
    load(given, "--vectors", path)
    with connect(given) as connection:
        assert all(
            check.ok for check in run_checks(connection, "given") if not check.name.startswith(("role", "schema"))
        )
        catch_up(connection, open_space(connection, "audience"), None)
    load(
        given, "--vectors", path, schema="taste", problem="the vectors of 'taste' are made by behaviour, not elsewhere"
    )
    with pytest.raises(PgaudienceError, match="how many numbers"):
        measure("vectors")
