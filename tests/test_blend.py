"""Blends: the vectors of several spaces beside each other."""

from __future__ import annotations

import re

import numpy as np
import psycopg
import pytest
from click.testing import CliRunner
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from conftest import Cluster, connect
from pgaudience.cli import cli
from pgaudience.database import open_space
from pgaudience.embedding.registry import measure
from pgaudience.errors import PgaudienceError
from pgaudience.installing import Migration, migrate
from pgaudience.learning import training_due
from pgaudience.pipeline import catch_up
from test_behaviour import derive, fill_taste, logins, rows, trained

pytestmark = [pytest.mark.slow, pytest.mark.newest]

__all__ = ["logins"]


def blend(url: str, schema: str = "both", **parts: float) -> Migration:
    return migrate(url, schema, model="blend", weighting=None, parts=parts, measure=measure)


def fill_both(url: str) -> None:
    fill_taste(url)
    blend(url, audience=0.75, taste=0.25)
    trained(url, "both")


@pytest.fixture
def both(cluster: Cluster) -> str:
    """A space of texts, one of behaviour, and a blend in which the first counts three times as much."""
    return cluster.clone("both", fill_both)


def unit(vector: list[float]) -> np.ndarray:
    return np.array(vector) / np.linalg.norm(vector)


def test_vectors_stand_beside_each_other(both: str) -> None:
    assert rows(both, "select dimensions, base, parts from space", "both") == [(7, "audience", ["audience", "taste"])]
    found = rows(both, """
        select b.embedding::real[], t.embedding::real[], v.embedding::real[]
        from entry_vectors b
        join audience.entry_vectors t using (entry_key)
        join taste.entry_vectors v using (entry_key)""", "both")  # fmt: skip
    assert len(found) == 20
    for blended, text, behaviour in found:
        np.testing.assert_allclose(blended[:3], np.sqrt(0.75) * np.array(text), atol=1e-6)
        np.testing.assert_allclose(blended[3:], np.sqrt(0.25) * np.array(behaviour), atol=1e-6)


def test_what_a_part_does_not_know_is_zero_there(both: str) -> None:
    rows(both, "insert into activity_input values ('loner', 'seen once', 1)", "audience")
    rows(both, "insert into entry_vectors (entry_key, embedding) select max(entry_key), '[0, 0.6, 0.8]' from entries",
         "audience")  # fmt: skip
    trained(both, "both")
    (vector,) = rows(both, "select embedding::real[] from entry_vectors order by entry_key desc limit 1", "both")[0]
    np.testing.assert_allclose(vector, [0, 0.6, 0.8, 0, 0, 0, 0], atol=1e-6)


def test_texts_and_explanations(both: str) -> None:
    (given,) = rows(both, "select embed('ski')::real[]", "both")[0]
    (text,) = rows(both, "select embed('ski')::real[]", "audience")[0]
    (behaviour,) = rows(both, "select embed('ski')::real[]", "taste")[0]
    np.testing.assert_allclose(given[:3], np.sqrt(0.75) * np.array(text), atol=1e-6)
    np.testing.assert_allclose(given[3:], np.sqrt(0.25) * np.array(behaviour), atol=1e-6)
    total = rows(both, "select sum(contribution) from explain_match('user_3', 'ski')", "both")[0][0]
    cosine = rows(both, "select 1 - (embedding <=> embed('ski')) from user_vectors where user_id = 'user_3'", "both")[
        0
    ][0]
    assert total == pytest.approx(cosine, abs=1e-5)
    assert len(rows(both, "select * from search_users('horror', k => 5)", "both")) == 5


def test_it_follows_its_parts(both: str) -> None:
    def due() -> bool:
        with connect(both, "both") as connection:
            return training_due(connection)

    assert not due()
    trained(both)
    assert due()
    with connect(both) as connection:
        catch_up(connection, open_space(connection, "audience"), None)
    assert not due()
    done = migrate(both, "both", model=None, weighting=None, measure=measure)
    assert [done.changed, *(each.changed for each in done.relatives)] == [False, False, False]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"audience": 1.0}, "two parts or more"),
        ({"audience": 0.5, "nowhere": 0.5}, "no space 'nowhere'"),
        ({"audience": 0.5, "both": 0.5}, "'both' is a space of blend, which cannot be a part"),
        ({"audience": 0.5, "lone": 0.5}, "the people of different spaces: audience, lone"),
    ],
)
def test_parts_that_cannot_be_blended(both: str, parts: dict[str, float], message: str) -> None:
    migrate(both, "lone", model=None, weighting=None, measure=lambda _: ("tests:handmade", 3))
    with pytest.raises(PgaudienceError, match=message):
        blend(both, "other", **parts)
    assert rows(both, "select to_regnamespace('other')") == [(None,)]


def test_other_parts_than_it_has(both: str) -> None:
    with pytest.raises(PgaudienceError, match="the parts of the space 'both' are others"):
        blend(both, taste=0.5, audience=0.5)


def test_parts_without_vectors(space: str) -> None:
    derive(space)
    blend(space, audience=0.5, taste=0.5)
    with pytest.raises(PgaudienceError, match="no part of the blend has vectors yet"):
        trained(space, "both")


def test_parts_that_are_stale(both: str) -> None:
    before = rows(both, "select trained_at, (select count(*) from entry_vectors) from space", "both")
    rows(both, "insert into activity_input values ('newcomer', 'Ski Aspen Colorado United States', 1)", "audience")
    rows(both, "call refresh()", "audience")
    done = CliRunner().invoke(cli, ["--database", both, "--schema", "both", "train"])
    assert done.exit_code == 1
    assert re.search("of the parts of the blend, .*taste (is|are) stale", str(done.exception))
    assert rows(both, "select trained_at, (select count(*) from entry_vectors) from space", "both") == before


def test_readers_read_the_parts_too(cluster: Cluster, both: str, logins: tuple[str, str]) -> None:
    rows(both, "grant both_reader to behaviour_reader; grant both_writer to behaviour_writer")
    reader, writer = (make_conninfo(both, user=login, password="behaviour") for login in logins)
    assert len(rows(reader, "select * from search_users('ski', k => 3)", "both")) == 3
    assert trained(writer, "both").entries == 20
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        rows(writer, "delete from taste.entry_vectors")
    cluster.execute("drop database {} with (force)", str(conninfo_to_dict(both)["dbname"]))
