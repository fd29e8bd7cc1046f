"""What attributes say of segments: planted rules are found, in words, and the same each time."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from conftest import connect
from pgaudience.cli import cli
from pgaudience.database import connect as connect_to
from pgaudience.database import open_space
from pgaudience.errors import PgaudienceError
from pgaudience.explaining import fit_rules, importances, read_people
from pgaudience.explaining.rules import number_text

pytestmark = pytest.mark.newest

PEOPLE = 900


def planted(url: str) -> None:
    """Segment 2 are owners who earn more than 60,000, segment 3 renters in the city, segment 1 all others."""
    random = np.random.default_rng(3)
    rows = []
    for n in range(PEOPLE):
        income, owner = int(random.integers(20_000, 120_000)), bool(random.random() < 0.6)
        city = str(random.choice(["city", "country", "suburb"]))
        segment = 2 if owner and income > 60_000 else 3 if not owner and city == "city" else 1
        known = {"income": income, "owner": owner, "home": city, "noise": float(random.normal()), "list": ["a"]}
        if n % 10 == 0:
            del known["home"]
        rows.append((f"p{n}", json.dumps(known), segment))
    with connect(url) as connection:
        connection.execute("insert into segmentations (segmentation) values ('planted')")
        connection.execute("""
            insert into segmentation_runs (segmentation, method, k, parameters, warm_start, users, iterations, inertia)
            values ('planted', 'kmeans', 3, '{}', false, 900, 1, 0)""")
        connection.cursor().executemany(
            "insert into users (user_id, attributes) values (%s, %s)", [r[:2] for r in rows]
        )
        connection.cursor().executemany(
            "insert into segment_assignments (run_id, user_key, segment_id, similarity)"
            " select 1, user_key, %s, 1 from users where user_id = %s", [(r[2], r[0]) for r in rows],
        )  # fmt: skip
        connection.execute("""
            insert into run_segments (run_id, segment_id, users, share, cohesion, centroid)
            select 1, segment_id, count(*), 1, 1, '[1,0,0]' from segment_assignments group by segment_id""")
        connection.execute("call describe_run(1)")
        connection.execute("update segmentations set published_run_id = 1")


@pytest.fixture
def people(space: str) -> str:
    planted(space)
    return space


def test_the_planted_rules_are_found(people: str) -> None:
    with connect_to(people) as connection:
        open_space(connection, "audience")
        known = read_people(connection, "planted")
    assert known.held_back.sum() == PEOPLE // 3 and set(known.attributes) == {"home", "income", "noise", "owner"}
    found = fit_rules(known, 6)
    assert found.right > 0.9 > 0.7 > found.largest and found.were_held_back
    rich, renters = (
        max((rule for rule in found.rules if rule.segment_id == segment_id), key=lambda rule: rule.share).words
        for segment_id in (2, 3)
    )
    assert "owner is true" in rich or "owner is not false" in rich
    assert 58_000 < int(rich.split("income > ")[1].split()[0].replace(",", "")) < 62_000
    assert "home is city" in renters
    assert sum(rule.share for rule in found.rules) == pytest.approx(1)
    assert sum(rule.share * rule.right for rule in found.rules) == pytest.approx(found.right)
    assert fit_rules(known, 6) == found

    added = importances(known)
    assert [each.attribute for each in added][-1] == "noise"
    assert {each.attribute for each in added[:2]} == {"owner", "income"}
    assert abs(added[-1].importance) < 0.02 < added[1].importance
    (home,) = [each for each in added if each.attribute == "home"]
    assert max(home.by_segment, key=lambda segment: home.by_segment[segment]) == 3
    assert importances(known) == added


def test_the_command_prints_rules_and_importances(people: str) -> None:
    first = CliRunner().invoke(cli, ["--database", people, "explain-segments", "planted", "--rules", "5"])
    assert first.exception is None, first.exception
    assert "income > " in first.stdout and "most_in" in first.stdout and "noise" in first.stdout
    assert f"of {PEOPLE // 3} users who were held back" in first.stderr
    again = CliRunner().invoke(cli, ["--database", people, "explain-segments", "planted", "--rules", "5"])
    assert again.stdout == first.stdout


def test_few_people_are_judged_by_themselves(people: str) -> None:
    with connect(people) as connection:
        connection.execute("delete from segment_assignments where user_key > 60")
    printed = CliRunner().invoke(cli, ["--database", people, "explain-segments", "planted"])
    assert printed.exception is None, printed.exception
    assert "of the users it was fitted to" in printed.stderr


def test_what_cannot_be_explained_says_so(people: str) -> None:
    with connect_to(people) as connection:
        open_space(connection, "audience")
        connection.execute("update segment_assignments set segment_id = 1")
        with pytest.raises(PgaudienceError, match="has one segment"):
            read_people(connection, "planted")
        connection.execute("delete from run_drivers")
        with pytest.raises(PgaudienceError, match="no attributes are known"):
            read_people(connection, "planted")


@pytest.mark.parametrize(
    ("number", "is_whole", "text"),
    [(60_499.5, True, "60,499"), (-2.5, True, "-3"), (0.01234, False, "0.0123"), (1234.5678, False, "1,235"),
     (0, False, "0")],
)  # fmt: skip
def test_limits_are_written_as_people_do(number: float, is_whole: bool, text: str) -> None:
    assert number_text(number, is_whole) == text
