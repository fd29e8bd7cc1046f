"""Features of users from what they did, and cleaning of what is known of them: on made-up events, and on bootloader."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import psycopg
import pytest

from conftest import connect, shared
from pgaudience.loading.load import load
from pgaudience.loading.merge import Merged
from pgaudience.reading import Columns, Rejects, open_source, read_entries, read_users
from test_behaviour import rows as rows_of

pytestmark = pytest.mark.newest

EVENTS = """user_id,entry,occurred_at
ann,View: Games,2026-03-01T10:00:00Z
ann,View: Games,2026-03-01T10:10:00Z
ann,Fund: Games,2026-03-01T11:00:00Z
ann,View: Food,2026-03-02T00:00:00Z
bob,Fund: Games,2026-03-05T00:00:00Z
bob,Walk,2026-03-06T00:00:00Z
"""
ENTRIES = """entry,category,action
View: Games,Games,View
Fund: Games,Games,Fund
View: Food,Food,View
Walk,,Walk
"""


def rows(url: str, query: str) -> list[tuple]:
    return rows_of(url, query, "audience")


def loaded(
    url: str, *, events: Path | None = None, entries: Path | None = None, users: Path | None = None, **options: object
) -> Merged:
    rejects = Rejects()
    sources = [open_source(events, format=None, columns=Columns(), rejects=rejects)] if events else []
    described = read_entries(entries, None, None, rejects) if entries else ()
    people = read_users(users, None, None, rejects) if users else ()
    with connect(url) as connection:
        return load(connection, sources, users=people, entries=described, **options)  # type: ignore[arg-type]


@pytest.fixture
def acted(space: str, tmp_path: Path) -> str:
    (tmp_path / "events.csv").write_text(EVENTS)
    (tmp_path / "entries.csv").write_text(ENTRIES)
    loaded(space, events=tmp_path / "events.csv", entries=tmp_path / "entries.csv")
    return space


def test_counts_conversions_and_intervals(acted: str) -> None:
    found = rows(
        acted,
        "select user_id, value, events, actions, conversion, extract(epoch from mean_interval)::int"
        " from user_entry_actions('category', action => 'action', goal => 'Fund')",
    )
    assert found == [
        ("ann", "Food", 1, {"View": 1}, 0, None),
        ("ann", "Games", 3, {"View": 2, "Fund": 1}, 0.5, 1800),
        ("bob", "Games", 1, {"Fund": 1}, None, None),
    ]
    assert rows(acted, "select user_id, events, actions, conversion from user_entry_actions('action')") == [
        ("ann", 1, {}, None), ("ann", 3, {}, None), ("bob", 1, {}, None), ("bob", 1, {}, None),
    ]  # fmt: skip


def test_events_without_a_time_have_no_interval(acted: str) -> None:
    rows(acted, "insert into activity_input (user_id, entry) values ('ann', 'Fund: Games')")
    found = "select events, mean_interval from user_entry_actions('category') where (user_id, value) = ('ann', 'Games')"
    assert rows(acted, found) == [(4, timedelta(minutes=20))]
    rows(acted, "insert into activity_input (user_id, entry) select 'cy', e from unnest(array['View: Games',"
                " 'Fund: Games']) e")  # fmt: skip
    assert rows(acted, "select events, mean_interval from user_entry_actions('category') where user_id = 'cy'") == [
        (2, None)
    ]


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        ("'colour'", "no entry has an attribute 'colour'"),
        ("null", "no entry has an attribute NULL"),
        ("'category', 'colour'", "no entry has an attribute 'colour'"),
        ("'category', 'action', 'Sell'", "no entry has the action 'Sell'"),
        ("'category', goal => 'Fund'", "no entry has the action 'Fund'"),
    ],
)
def test_attributes_that_are_not_there(acted: str, call: str, problem: str) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=problem):
        rows(acted, f"select * from user_entry_actions({call})")


PEOPLE = "user_id,sex,age\nann,F,30\nann,F,30\nann,M,31\nbob,U,20\nbob,M,\ncy,U,40\n"


@pytest.mark.parametrize(
    ("rule", "ann"),
    [
        ("last", {"sex": "M", "age": 31}),
        ("first", {"sex": "F", "age": 30}),
        ("most", {"sex": "F", "age": 30}),
        ("null", {}),
    ],
)
def test_conflicts_are_resolved_by_a_rule(space: str, tmp_path: Path, rule: str, ann: dict[str, object]) -> None:
    (tmp_path / "people.csv").write_text(PEOPLE)
    merged = loaded(space, users=tmp_path / "people.csv", conflicts=rule, unknown=["U"])
    assert merged.conflicts == {"age": 1, "sex": 1}
    expected = [("ann", ann), ("bob", {"sex": "M", "age": 20}), ("cy", {"age": 40})]
    assert rows(space, "select user_id, attributes from users order by user_id") == expected
    again = loaded(space, users=tmp_path / "people.csv", conflicts=rule, unknown=["U"])
    assert again.attributes_changed == 0


def test_what_is_unknown_from_now_on_goes(space: str, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(PEOPLE)
    loaded(space, users=tmp_path / "people.csv")
    assert rows(space, "select attributes ->> 'sex' from users where user_id = 'cy'") == [("U",)]
    loaded(space, users=tmp_path / "people.csv", unknown=["U"])
    assert rows(space, "select attributes ->> 'sex' from users where user_id = 'cy'") == [(None,)]


@pytest.mark.parametrize("name", ["people.jsonl", "people.json"])
def test_nested_records_are_flattened(space: str, tmp_path: Path, name: str) -> None:
    people = [
        {"user_id": "ann", "location": {"city": "Lyons", "at": {"lat": 40.5}}, "likes": ["tea", {"kind": "green"}]},
        {"user_id": "bob", "location": {}, "age": 20},
    ]
    content = json.dumps(people) if name == "people.json" else "".join(f"{json.dumps(one)}\n" for one in people)
    (tmp_path / name).write_text(content)
    loaded(space, users=tmp_path / name)
    assert rows(space, "select user_id, attributes from users order by user_id") == [
        ("ann", {"location.city": "Lyons", "location.at.lat": 40.5, "likes": '["tea", {"kind": "green"}]'}),
        ("bob", {"age": 20}),
    ]


@pytest.mark.slow
def test_aggregates_of_bootloader(space: str) -> None:
    """Each user's counts, conversions and intervals are those of the events one by one; so is what was planted."""
    merged = loaded(
        space,
        events=shared("bootloader/events_timed.csv.gz"),
        entries=shared("bootloader/entries.csv.gz"),
        users=shared("bootloader/users_dirty.csv.gz"),
        conflicts="most",
    )
    assert merged.conflicts["gender"] == 2_084
    times: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    with gzip.open(shared("bootloader/events_full.csv.gz"), "rt", encoding="utf-8") as file:
        for event in csv.DictReader(file):
            key = event["session_id"], event["category"]
            times[key].append(datetime.fromtimestamp(int(event["client_time"]), UTC))
            counts[key][event["event_name"]] += 1
    found = rows(
        space,
        "select user_id, value, actions, conversion, extract(epoch from mean_interval)::float"
        " from user_entry_actions('category', action => 'action', goal => 'Fund Project')",
    )
    assert {(user, value): actions for user, value, actions, *_ in found} == counts
    for user, value, actions, conversion, interval in found:
        views, funded = actions.get("View Project", 0), actions.get("Fund Project", 0)
        assert conversion == (pytest.approx(funded / views) if views else None)
        moments = sorted(moment.timestamp() for moment in times[user, value])
        assert interval == (pytest.approx(np.diff(moments).mean(), abs=1e-3) if len(moments) > 1 else None)
    shares = rows(
        space,
        "select avg((u.attributes ->> 'age' = '18-24')::int) filter (where s in ('CO', 'GA', 'OR')),"
        " avg((u.attributes ->> 'marital_status' = 'married')::int) filter (where s = 'IN'),"
        " avg((u.attributes ->> 'device' = 'iOS')::int) filter (where s = 'IN')"
        " from users u cross join lateral (select u.attributes ->> 'state' as s) l",
    )
    assert [round(float(share), 2) for share in shares[0]] == pytest.approx([0.92, 0.96, 0.97], abs=0.03)
