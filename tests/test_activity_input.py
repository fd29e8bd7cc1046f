"""Activity that arrives by SQL: the same as a load, bad rows named, sessions that take turns."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import connect, migrate_toy
from pgaudience.loading.load import load
from pgaudience.reading import Columns, Rejects, open_source

INSERT = "insert into activity_input values (%s, %s, %s, %s)"
ACTIVITY = """
select user_id, entry, frequency, first_at, last_at
from activity join users using (user_key) join entries using (entry_key)
order by user_id collate "C", entry collate "C"
"""
TEXTS = [
    "select user_id from users order by user_id collate \"C\"",
    "select entry from entries order by entry collate \"C\"",
]  # fmt: skip


def rows(url: str, query: str = ACTIVITY, schema: str = "audience") -> list[tuple]:
    with connect(url, schema, autocommit=True) as connection:
        return connection.execute(query).fetchall()


def load_file(url: str, file: Path, schema: str = "audience") -> None:
    with connect(url, schema) as connection, Rejects() as rejects:
        load(connection, [open_source(file, format=None, columns=Columns(), rejects=rejects)], mode="add", force=True)


def at_once(*works: Callable[[], object]) -> None:
    """Run all of them in threads of their own; raise what one of them raises."""
    errors: list[BaseException] = []

    def attempt(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=attempt, args=(work,)) for work in works]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    if errors:
        raise errors[0]


# What arrives


TEXT = st.text(alphabet=["a", "B", " ", "\t", "\u00a0", "é", "e", "\u0301"], max_size=4).filter(str.strip)
WHEN = st.none() | st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))
ROWS = st.lists(st.tuples(TEXT, TEXT, st.sampled_from([0.25, 1, 3, 1e6]), WHEN), min_size=1, max_size=12)


@pytest.mark.slow
def test_it_is_the_same_as_a_load_that_adds(space: str, tmp_path: Path) -> None:
    migrate_toy(space, "loaded")
    file = tmp_path / "rows.jsonl"
    names = ("user_id", "entry", "frequency", "occurred_at")
    session, loaded = connect(space, autocommit=True), connect(space, "loaded", autocommit=True)

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(ROWS, min_size=1, max_size=3))
    def check(parts: list[list[tuple]]) -> None:
        for connection in (session, loaded):
            connection.execute("truncate users, entries, activity cascade")
        for part in parts:
            lines = [json.dumps(dict(zip(names, row, strict=True)), default=str) + "\n" for row in part]
            file.write_text("".join(lines))
            load_file(space, file, "loaded")
            with session.cursor().copy("copy activity_input from stdin") as copy:
                [copy.write_row(row) for row in part]
        for query in (ACTIVITY, *TEXTS):
            assert session.execute(query).fetchall() == loaded.execute(query).fetchall()

    with session, loaded:
        check()


@pytest.mark.slow
def test_one_row_after_many_after_one(space: str) -> None:
    """In one session, where plans are kept."""
    with connect(space, autocommit=True) as connection:
        for count in (1, 30_000, 1):
            connection.execute(
                "insert into activity_input (user_id, entry)"
                " select 'u' || n %% 5000, 'e' || n %% 3000 from generate_series(0, %s - 1) n",
                [count],
            )
        found = connection.execute("select count(*), sum(frequency) from activity").fetchone()
    assert found == (15_000, 30_002)


def test_several_inserts_in_one_statement(space: str) -> None:
    rows(space, "with a as (insert into activity_input values ('ann', 'Ski', 2) returning *), b as (insert into"
         " activity_input select user_id, 'Bar' from a returning *) select * from b")  # fmt: skip
    assert [row[:3] for row in rows(space)] == [("ann", "Bar", 1), ("ann", "Ski", 2)]


# What is refused


def test_copy_names_the_line(space: str) -> None:
    statement = "copy activity_input from stdin (format csv)"
    with (
        connect(space) as connection,
        pytest.raises(psycopg.errors.CheckViolation) as caught,
        connection.cursor().copy(statement) as copy,
    ):
        copy.write("ann,Ski,1,\nann,Bar,2,\nann,\u00a0,3,\nann,Ski,4,\n")
    assert caught.value.diag.constraint_name == "entry_is_not_blank"
    assert "line 3" in (caught.value.diag.context or "")
    assert rows(space) == []


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        (("\u2003", "Ski", 1, None), "user_id_is_not_blank"),
        (("u" * 1001, "Ski", 1, None), "user_id_is_at_most_1000_bytes"),
        (("ann", "", 1, None), "entry_is_not_blank"),
        (("ann", "x" * 1_000_001, 1, None), "entry_is_at_most_1_megabyte"),
        (("ann", "Ski", 1e-16, None), "frequency_is_between_1e-15_and_1e15"),
        (("ann", "Ski", float("inf"), None), "frequency_is_between_1e-15_and_1e15"),
        (("ann", "Ski", float("nan"), None), "frequency_is_between_1e-15_and_1e15"),
        (("ann", "Ski", 1, "infinity"), "occurred_at_is_finite"),
    ],
)
def test_what_is_refused(space: str, values: tuple, constraint: str) -> None:
    with connect(space) as connection:
        with pytest.raises(psycopg.errors.CheckViolation) as caught:
            connection.execute(INSERT, values)
        assert caught.value.diag.constraint_name == constraint


# Several sessions


@pytest.mark.slow
def test_crossing_rows_do_not_deadlock(space: str) -> None:
    """Each transaction holds two statements; the other session has their rows in the opposite order."""

    def work(step: int) -> None:
        with connect(space) as connection, connection.cursor() as cursor:
            for number in range(60):
                for half in (0, 1)[::step]:
                    names = [f"{number}-{half}-{n}" for n in range(20)][::step]
                    cursor.executemany(INSERT, [(name, name, 1, None) for name in names])
                connection.commit()

    at_once(lambda: work(1), lambda: work(-1))
    found = rows(space)
    assert len(found) == 60 * 40
    assert {row[2] for row in found} == {2}


@pytest.mark.slow
def test_a_session_and_loads_at_once(space: str, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    pairs = [(f"u{n % 97}", f"e{n % 89}") for n in range(500)]
    file.write_text("user_id,entry\n" + "".join(f"{user},{entry}\n" for user, entry in reversed(pairs)))

    def insert() -> None:
        with connect(space) as connection, connection.cursor() as cursor:
            for _ in range(10):
                cursor.executemany(INSERT, [(*pair, 1, None) for pair in pairs[:100]])
                connection.commit()

    at_once(insert, lambda: [load_file(space, file) for _ in range(10)])
    assert rows(space, "select sum(frequency) from activity") == [(10 * 100 + 10 * 500,)]


def test_who_waits_sees_what_the_other_has_committed(space: str) -> None:
    values = ("ann", "Ski", 2, None)
    with connect(space) as first, connect(space) as second, connect(space, autocommit=True) as watch:
        first.execute(INSERT, values)
        thread = threading.Thread(target=lambda: (second.execute(INSERT, values), second.commit()))
        thread.start()
        waiting = "select 1 from pg_locks where locktype = 'advisory' and not granted and pid = %s"
        while not watch.execute(waiting, [second.info.backend_pid]).fetchone():
            time.sleep(0.01)
        first.commit()
        thread.join()
    assert [row[:3] for row in rows(space)] == [("ann", "Ski", 4)]


@pytest.mark.parametrize("level", [psycopg.IsolationLevel.REPEATABLE_READ, psycopg.IsolationLevel.SERIALIZABLE])
@pytest.mark.parametrize("known", ["", "('ann', 'Bar')", "('bob', 'Ski')", "('ann', 'Bar'), ('bob', 'Ski')"])
def test_an_older_snapshot_is_a_serialization_failure(space: str, level: psycopg.IsolationLevel, known: str) -> None:
    """The user, the entry, or only the pair is new, and another session adds it first."""
    if known:
        rows(space, f"insert into activity_input values {known} returning 1")
    with connect(space) as late:
        late.isolation_level = level
        late.execute("select count(*) from users")
        rows(space, "insert into activity_input values ('ann', 'Ski') returning 1")
        with pytest.raises(psycopg.errors.SerializationFailure):
            late.execute(INSERT, ("ann", "Ski", 1, None))
        late.rollback()
        late.execute(INSERT, ("ann", "Ski", 1, None))
    assert ("ann", "Ski", 2, None, None) in rows(space)


def test_an_older_snapshot_adds_something_else(space: str) -> None:
    with connect(space) as late:
        late.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        late.execute("select count(*) from users")
        rows(space, "insert into activity_input values ('ann', 'Ski') returning 1")
        late.execute(INSERT, ("bob", "Bar", 1, None))
    assert [row[:2] for row in rows(space)] == [("ann", "Ski"), ("bob", "Bar")]
