"""Audiences against a plain recomputation, day by day; kills, concurrent calls, who may do what."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil

import numpy as np
import psycopg
import pytest
from pgvector import Vector
from pgvector.psycopg import register_vector

from conftest import connect
from test_family import pair  # noqa: F401
from test_least_power import Power, power  # noqa: F401
from test_least_power import rows as rows_as

ENTRIES = {f"e{n:02d}": vector for n, vector in enumerate(np.random.default_rng(1).normal(size=(24, 3)))}
COUNTRIES = ("France", "Spain", "Italy")
SKI = np.array([1.0, 0, 0])

Ranking = list[tuple[str, float | None]]


def unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


@dataclass
class Day:
    """What is in the space, kept a second time in Python."""

    chance: random.Random
    activity: dict[str, dict[str, int]] = field(default_factory=dict)
    countries: dict[str, str] = field(default_factory=dict)
    born: int = 0

    def add(self, connection: psycopg.Connection, users: int) -> None:
        for _ in range(users):
            user = f"u{self.born:03d}"
            self.born += 1
            self.activity[user] = {}
            self.countries[user] = self.chance.choice(COUNTRIES)
            connection.execute(
                "insert into users (user_id, attributes) values (%s, jsonb_build_object('country', %s::text))",
                [user, self.countries[user]],
            )
            self.act(connection, user)

    def act(self, connection: psycopg.Connection, user: str) -> None:
        """Give a user other things to do."""
        self.activity[user] = {
            entry: self.chance.randint(1, 9) for entry in self.chance.sample(list(ENTRIES), self.chance.randint(3, 6))
        }
        connection.execute(
            "delete from activity where user_key = (select user_key from users where user_id = %s)", [user]
        )
        connection.execute(
            "insert into activity (user_key, entry_key, frequency) select u.user_key, e.entry_key, a.frequency"
            " from unnest(%s::text[], %s::int[]) a (entry, frequency) join entries e using (entry)"
            " join users u on u.user_id = %s",
            [list(self.activity[user]), list(self.activity[user].values()), user],
        )

    def move(self, connection: psycopg.Connection, user: str) -> None:
        self.countries[user] = self.chance.choice(COUNTRIES)
        connection.execute(
            "update users set attributes = jsonb_build_object('country', %s::text) where user_id = %s",
            [self.countries[user], user],
        )

    def forget(self, connection: psycopg.Connection, user: str) -> None:
        del self.activity[user], self.countries[user]
        connection.execute("delete from users where user_id = %s", [user])

    def vectors(self) -> dict[str, np.ndarray]:
        return {
            user: unit(sum((np.log1p(times) * unit(ENTRIES[entry]) for entry, times in acts.items()), np.zeros(3)))
            for user, acts in self.activity.items()
        }


@pytest.fixture
def people(space: str) -> tuple[str, Day]:
    """Sixty users who do things at random."""
    day = Day(random.Random(7))
    with connect(space) as connection:
        register_vector(connection)
        for entry, vector in ENTRIES.items():
            connection.execute(
                "with e as (insert into entries (entry) values (%s) returning entry_key)"
                " insert into entry_vectors (entry_key, embedding) select entry_key, l2_normalize(%s) from e",
                [entry, Vector(vector)],
            )
        connection.execute("insert into queries (query, embedding, embedded_at) values ('ski', '[1,0,0]', now())")
        day.add(connection, 60)
        connection.execute("call refresh()")
    return space, day


# The plain recomputation


def by_cosine(vectors: dict[str, np.ndarray], query: np.ndarray) -> Ranking:
    scores = {user: float(vector @ unit(query)) for user, vector in vectors.items()}
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))


def by_standing(audiences: list[list[str]]) -> Ranking:
    """Users by their mean standing in audiences, each given as its members by rank."""
    scores: dict[str, float] = {}
    for members in audiences:
        for place, user in enumerate(members):
            scores[user] = scores.get(user, 0) + (1 - place / len(members)) / len(audiences)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))


def cut(ranking: Ranking, before: list[str], *, size: int, keep: float) -> list[str]:
    """The first of a ranking: who is clearly in, then who was in and is not clearly out, then who is next."""
    users = [user for user, _ in ranking]
    certain = users[: int(size * (1 - keep) + 1e-9)]
    stays = [user for user in users[: int(size * (1 + keep) + 1e-9)] if user in before and user not in certain]
    rest = [user for user in users if user not in certain and user not in stays]
    chosen = set([*certain, *stays, *rest][:size])
    return [user for user in users if user in chosen]


def above(ranking: Ranking, before: list[str], score: float, keep: float) -> list[str]:
    inside = sum(found is not None and found >= score for _, found in ranking)
    buffer = int(inside * (1 + keep) + 1e-9)
    return [
        user for place, (user, _) in enumerate(ranking, 1) if place <= inside or (place <= buffer and user in before)
    ]


DEFINITIONS = {
    "near": "search => 'ski', mode => 'mean', size => 20, keep => 0.25",
    "a fifth": "search => 'ski', mode => 'mean', share => 0.2, filter => '{\"country\": \"France\"}'",
    "scored": "search => 'ski', mode => 'mean', min_score => 0.4, keep => 0.3",
    "hybrid": "search => 'ski', size => 12",
    "alike": "like_audience => 'near', centered => false, size => 10",
    "both": "all_of => array['near', 'scored']",
    "any": "any_of => array['alike', 'a fifth'], none_of => array['both'], size => 8",
    "others": "none_of => array['near'], filter => '{\"country\": \"Spain\"}'",
    "French near": "search => 'ski', mode => 'mean', size => 15, keep => 0.2, all_of => array['near']",
}


def expected(connection: psycopg.Connection, day: Day, before: dict[str, list[str]]) -> dict[str, list[str]]:
    """Who belongs to each audience now, by rank."""
    vectors = day.vectors()
    ski = by_cosine(vectors, SKI)
    french = [(user, score) for user, score in ski if day.countries[user] == "France"]
    hybrid = connection.execute("select user_id, score from search_users('ski', k => 1000) order by rank").fetchall()
    found: dict[str, list[str]] = {}
    found["near"] = cut(ski, before.get("near", []), size=20, keep=0.25)
    found["a fifth"] = cut(french, [], size=ceil(0.2 * len(french)), keep=0)
    found["scored"] = above(ski, before.get("scored", []), 0.4, 0.3)
    found["hybrid"] = cut(hybrid, [], size=12, keep=0)
    others = {user: vector for user, vector in vectors.items() if user not in found["near"]}
    group = sum((vectors[user] for user in found["near"]), np.zeros(3))
    found["alike"] = cut(by_cosine(others, group), [], size=10, keep=0)
    standing = by_standing([found["near"], found["scored"]])
    found["both"] = [user for user, _ in standing if user in found["near"] and user in found["scored"]]
    standing = by_standing([found["alike"], found["a fifth"]])
    found["any"] = cut([s for s in standing if s[0] not in found["both"]], [], size=8, keep=0)
    found["others"] = sorted(
        user for user, country in day.countries.items() if country == "Spain" and user not in found["near"]
    )
    near = [(user, score) for user, score in ski if user in found["near"]]
    found["French near"] = cut(near, before.get("French near", []), size=15, keep=0.2)
    return found


def members(connection: psycopg.Connection) -> dict[str, list[str]]:
    query = "select audience, array_agg(user_id order by rank) from audience_members group by audience"
    return dict(connection.execute(query).fetchall())


def replayed(connection: psycopg.Connection) -> dict[str, list[str]]:
    """Who is in each audience, going by the changes alone."""
    found: dict[str, set[str]] = {}
    for audience, user, change in connection.execute(
        "select audience, user_id, change from audience_changes order by change_id"
    ).fetchall():
        inside = found.setdefault(audience, set())
        assert (user in inside) == (change == "left"), (audience, user, change)
        (inside.remove if change == "left" else inside.add)(user)
    return {audience: sorted(users) for audience, users in found.items() if users}


def consistent(connection: psycopg.Connection) -> None:
    found = {audience: sorted(users) for audience, users in members(connection).items()}
    assert replayed(connection) == found
    counts = dict(connection.execute("select audience, members from audiences where members > 0").fetchall())
    assert counts == {audience: len(users) for audience, users in found.items()}


def define(connection: psycopg.Connection) -> None:
    for name, definition in DEFINITIONS.items():
        connection.execute(f"call save_audience('{name}', {definition})".encode())


def change_something(connection: psycopg.Connection, day: Day) -> set[str]:
    """A day's work; return who was deleted."""
    gone = set(day.chance.sample(sorted(day.activity), 3))
    for user in gone:
        day.forget(connection, user)
    for user in day.chance.sample(sorted(day.activity), 12):
        day.act(connection, user)
    for user in day.chance.sample(sorted(day.activity), 6):
        day.move(connection, user)
    day.add(connection, 4)
    return gone


def test_members_and_movement_day_by_day(people: tuple[str, Day]) -> None:
    url, day = people
    with connect(url, autocommit=True) as connection:
        define(connection)
        before = expected(connection, day, {})
        assert members(connection) == before
        for _ in range(8):
            last = connection.execute("select max(change_id) from audience_changes").fetchone()
            gone = change_something(connection, day)
            connection.execute("call refresh()")
            connection.execute("call refresh_audiences()")
            kept = {name: [user for user in users if user not in gone] for name, users in before.items()}
            now = expected(connection, day, kept)
            assert members(connection) == now
            moved = {
                (name, user, "left", "deleted" if user in gone else "data")
                for name, users in before.items()
                for user in users
                if user not in now[name]
            } | {
                (name, user, "entered", "data") for name, users in now.items() for user in users
                if user not in before[name]
            }  # fmt: skip
            changes = connection.execute(
                "select audience, user_id, change, why from audience_changes where change_id > %s", last
            ).fetchall()
            assert sorted(changes) == sorted(moved)
            consistent(connection)
            before = now
        history = connection.execute(
            "select audience, count(*), (array_agg(members order by refreshed_at desc))[1]"
            " from audience_history group by audience"
        ).fetchall()
        assert sorted(history) == sorted((name, 9, len(before[name])) for name in DEFINITIONS)


def test_members_who_are_not_clearly_out_stay(people: tuple[str, Day]) -> None:
    """Without keep the same days move more people."""
    url, day = people
    with connect(url, autocommit=True) as connection:
        connection.execute("call save_audience('steady', search => 'ski', mode => 'mean', size => 20, keep => 0.4)")
        connection.execute("call save_audience('nervous', search => 'ski', mode => 'mean', size => 20)")
        for _ in range(8):
            for user in day.chance.sample(sorted(day.activity), 12):
                day.act(connection, user)
            connection.execute("call refresh()")
            connection.execute("call refresh_audiences()")
        moved = dict(connection.execute(
            "select audience, sum(departed) from audience_history group by audience").fetchall())  # fmt: skip
        sizes = connection.execute("select distinct members from audience_history").fetchall()
    assert moved["steady"] < moved["nervous"]
    assert sizes == [(20,)]


# What is stale


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, change",
    [
        ("others", "update users set attributes = '{\"country\": \"Spain\"}' where user_id = 'u001'"),
        ("others", "insert into users (user_id, attributes) values ('new', '{\"country\": \"Spain\"}')"),
        ("near", "update queries set embedded_at = now() + interval '1 second'"),
        ("hybrid", "update space set evidence_weight = 1"),
        ("near", "call refresh()"),
        ("both", "call save_audience('scored', search => 'ski', mode => 'mean', min_score => 0.5)"),
        ("any", "call save_audience('scored', search => 'ski', mode => 'mean', min_score => 0.5)"),
    ],
)
def test_what_makes_an_audience_stale(people: tuple[str, Day], name: str, change: str) -> None:
    url, _ = people
    with connect(url, autocommit=True) as connection:
        define(connection)
        stale = "select audience from audience_bi.audiences where stale"
        assert connection.execute(stale).fetchall() == []
        connection.execute(change.encode())
        assert (name,) in connection.execute(stale).fetchall()
        connection.execute("call refresh_audiences()")
        assert connection.execute(stale).fetchall() == []


def test_only_what_is_stale_is_computed(people: tuple[str, Day]) -> None:
    url, day = people
    with connect(url, autocommit=True) as connection:
        define(connection)
        connection.execute("update users set attributes = '{\"country\": \"Spain\"}' where user_id = 'u001'")
        day.countries["u001"] = "Spain"
        connection.execute("call refresh_audiences()")
        again = connection.execute(
            "select audience from audience_history group by audience having count(*) > 1 order by 1"
        ).fetchall()
        assert members(connection) == expected(connection, day, members(connection))
    assert ("near",) not in again
    assert ("others",) in again


def test_a_change_of_definition_is_told_from_one_of_data(people: tuple[str, Day]) -> None:
    url, _ = people
    with connect(url, autocommit=True) as connection:
        define(connection)
        last = connection.execute("select max(change_id) from audience_changes").fetchone()
        connection.execute("call save_audience('near', search => 'ski', mode => 'mean', size => 5)")
        connection.execute("call refresh_audiences()")
        why = "select distinct audience, why from audience_changes where change_id > %s"
        found = dict(connection.execute(why, last).fetchall())
        created = connection.execute("select created_at < defined_at from audiences where audience = 'near'").fetchone()
    assert found["near"] == found["both"] == found["others"] == "definition"
    assert created == (True,)


# Kills, and two at once


def in_thread(target: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=target)
    thread.start()
    return thread


@pytest.mark.slow
def test_a_refresh_that_is_killed_leaves_all_as_it_was(people: tuple[str, Day]) -> None:
    url, day = people
    with connect(url, autocommit=True) as connection:
        define(connection)
        started = time.monotonic()
        connection.execute("call refresh()")
        connection.execute("call refresh_audiences()")
        usual = time.monotonic() - started
        killed = 0
        for kill in range(10):
            gone = change_something(connection, day)
            connection.execute("call refresh()")
            before = members(connection)
            victim = connect(url, autocommit=True)

            def work(victim: psycopg.Connection = victim) -> None:
                with victim, pytest.raises(psycopg.errors.AdminShutdown):
                    victim.execute("call refresh_audiences()")
                    victim.execute("select pg_sleep(10)")

            thread = in_thread(work)
            time.sleep(usual * kill / 10)
            connection.execute("select pg_terminate_backend(%s)", [victim.info.backend_pid])
            thread.join()
            after = members(connection)
            computed = expected(connection, day, before)
            assert after in (before, computed)
            killed += after == before
            consistent(connection)
            connection.execute("call refresh_audiences()")
            assert members(connection) == (computed if after == before else after), gone
        assert killed > 2


def test_readers_see_all_or_nothing_and_do_not_wait(people: tuple[str, Day]) -> None:
    url, day = people
    with connect(url) as writer, connect(url, autocommit=True) as reader:
        define(writer)
        writer.commit()
        before = members(reader)
        change_something(writer, day)
        writer.commit()
        before = members(reader)
        writer.execute("call refresh()")
        writer.execute("call refresh_audiences()")
        reader.execute("set statement_timeout = '2s'")
        assert members(reader) == before
        consistent(reader)
        writer.commit()
        assert members(reader) != before
        consistent(reader)


@pytest.mark.slow
def test_many_at_once_do_no_harm(people: tuple[str, Day]) -> None:
    """Refreshes, new definitions and deletes at the same time: the changes always add up to the members."""
    url, day = people
    with connect(url, autocommit=True) as connection:
        define(connection)
    doomed = day.chance.sample(sorted(day.activity), 20)

    def refreshing() -> None:
        with connect(url, autocommit=True) as connection:
            for _ in range(6):
                connection.execute("call refresh()")
                connection.execute("call refresh_audiences()")

    def saving() -> None:
        with connect(url, autocommit=True) as connection:
            for size in range(10, 20):
                connection.execute(
                    "call save_audience('near', search => 'ski', mode => 'mean', size => %s)", [size]
                )  # fmt: skip

    def deleting() -> None:
        with connect(url, autocommit=True) as connection:
            for user in doomed:
                connection.execute("delete from users where user_id = %s", [user])

    threads = [in_thread(work) for work in (refreshing, refreshing, saving, deleting)]
    with connect(url, autocommit=True) as connection:
        while any(thread.is_alive() for thread in threads):
            with connection.transaction():
                connection.execute("set transaction isolation level repeatable read")
                consistent(connection)
        for thread in threads:
            thread.join()
        for user in doomed:
            del day.activity[user], day.countries[user]
        connection.execute("call refresh()")
        connection.execute("call refresh_audiences()")
        consistent(connection)
        assert not {user for users in members(connection).values() for user in users} & set(doomed)
        assert members(connection)["near"] == [user for user, _ in by_cosine(day.vectors(), SKI)[:19]]


# Who may


@pytest.mark.slow
@pytest.mark.turns("least_power")
def test_readers_read_and_writers_write(power: Power) -> None:  # noqa: F811
    save = "call save_audience('skiers', search => 'ski', mode => 'mean', size => 2)"
    rows_as(power.writer, save)
    for statement in (save, "call drop_audience('skiers')", "delete from audience_members"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            rows_as(power.reader, statement)
    assert len(rows_as(power.reader, "select * from audience_members")) == 2
    assert rows_as(
        power.reader, "select members from preview_audience(search => 'ski', mode => 'mean', size => 3)"
    ) == [(3,)]
    assert rows_as(power.reader, "select audience, stale from power_bi.audiences") == [("skiers", False)]
    assert len(rows_as(power.reader, "select * from explain_member('skiers', 'ann')")) == 3
    assert rows_as(power.reader, "select shared from audience_overlap()") == [(2,)]
    rows_as(power.writer, "delete from users where user_id = 'ann'")
    assert rows_as(power.reader, "select why from audience_changes where change = 'left'") == [("deleted",)]
    rows_as(power.writer, "call refresh()")
    rows_as(power.writer, "call refresh_audiences()")
    assert len(rows_as(power.reader, "select * from audience_members")) == 2
    rows_as(power.writer, "call drop_audience('skiers')")
    assert rows_as(power.reader, "select * from audience_changes") == []


@pytest.mark.slow
def test_a_user_who_is_deleted_leaves_the_audiences_of_the_whole_family(pair: str) -> None:  # noqa: F811
    with connect(pair, autocommit=True) as base, connect(pair, schema="taste", autocommit=True) as derived:
        for space in (base, derived):
            space.execute("call save_audience('French', filter => '{\"country\": \"France\"}')")
        base.execute("delete from users where user_id = 'ann'")
        for space in (base, derived):
            assert members(space) == {"French": ["bob"]}
            consistent(space)


def test_long_texts_and_names_are_only_words(people: tuple[str, Day]) -> None:
    url, _ = people
    name = 'it\'s "quoted"; drop table audiences; -- %s $1'
    with connect(url, autocommit=True) as connection:
        connection.execute('call save_audience(%s, filter => \'{"country": "France"}\')', [name])
        connection.execute("call save_audience('not them', none_of => array[%s])", [name])
        assert connection.execute("select audience, fault from audiences order by 1").fetchall() == [
            (name, None), ("not them", None)]  # fmt: skip
        connection.execute("call drop_audience(%s)", [name])
