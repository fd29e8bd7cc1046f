"""What people did does not outlive them, nor what was done its texts, whoever commits first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from conftest import TOY_MODEL, connect
from pgaudience.installing import migrate
from pgaudience.loading.load import load
from pgaudience.reading import Columns, Rejects, open_source

Connection = psycopg.Connection
ORPHANS = """
select 'activity' as relation, user_key, entry_key
from activity a
where not exists (select from users u where u.user_key = a.user_key)
    or not exists (select from entries e where e.entry_key = a.entry_key)
union all
select 'assignments', user_key, run_id
from segment_assignments m
where not exists (select from users u where u.user_key = m.user_key)
union all
select 'members', rank, 0
from audience_members m
where not exists (select from users u where u.user_id = m.user_id)
union all
select 'changes', change_id, run_id
from segment_changes c
where not exists (select from users u where u.user_id = c.user_id)
"""
OF_ANN = """
select entry, frequency
from activity
join users using (user_key)
join entries using (entry_key)
where user_id = 'ann'
"""
DELETIONS = {
    "user": "delete from users where user_id = 'ann'",
    "entry": "delete from entries where entry = 'Ski Aspen'",
}


def rows(url: str, query: str) -> list[tuple]:
    with connect(url, autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def by_sql(connection: Connection, _: Path) -> None:
    connection.execute("insert into activity_input values ('ann', 'Ski Aspen', 7)")


def by_a_load(connection: Connection, folder: Path) -> None:
    file = folder / "rows.csv"
    file.write_text("user_id,entry,frequency\nann,Ski Aspen,7\n")
    with Rejects() as rejects, open_source(file, format=None, columns=Columns(), rejects=rejects) as source:
        load(connection, [source])


@contextmanager
def waiting(url: str, work: Callable[[Connection], object]) -> Iterator[None]:
    """Begin work that has to wait for the block, and commit it after the block."""
    errors: list[BaseException] = []
    with connect(url) as connection:

        def run() -> None:
            try:
                work(connection)
                connection.commit()
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        blocked = f"select cardinality(pg_blocking_pids({connection.info.backend_pid})) > 0"
        for _ in range(500):
            if rows(url, blocked) == [(True,)]:
                break
            assert thread.is_alive(), f"it did not wait: {errors}"
            time.sleep(0.02)
        yield
        thread.join(60)
        assert not thread.is_alive() and errors == []


@pytest.mark.parametrize("add", [by_sql, by_a_load])
@pytest.mark.parametrize("deletion", DELETIONS)
def test_a_deletion_after_activity_that_is_not_committed(
    toy: str, tmp_path: Path, add: Callable[[Connection, Path], None], deletion: str
) -> None:
    with connect(toy) as first, first.transaction():
        add(first, tmp_path)
        waiter = waiting(toy, lambda second: second.execute(DELETIONS[deletion].encode()))
        waiter.__enter__()
    waiter.__exit__(None, None, None)
    assert rows(toy, ORPHANS) == []
    assert ("Ski Aspen", 7) not in rows(toy, OF_ANN)


@pytest.mark.parametrize("add", [by_sql, by_a_load])
@pytest.mark.parametrize("deletion", DELETIONS)
def test_activity_after_a_deletion_that_is_not_committed(
    toy: str, tmp_path: Path, add: Callable[[Connection, Path], None], deletion: str
) -> None:
    """Whose user or entry is new by then: nothing is lost either."""
    with connect(toy) as first:
        first.execute(DELETIONS[deletion].encode())
        with waiting(toy, lambda second: add(second, tmp_path)):
            first.commit()
    assert rows(toy, ORPHANS) == []
    assert ("Ski Aspen", 7) in rows(toy, OF_ANN)


def test_a_deletion_that_does_not_see_it_leaves_it_to_refresh(toy: str) -> None:
    with connect(toy) as late:
        late.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        late.execute("select count(*) from activity")
        rows(toy, "insert into activity_input values ('ann', 'Coffee Bar') returning 1")
        late.execute(DELETIONS["user"].encode())
    assert len(rows(toy, ORPHANS)) == 1
    rows(toy, "call refresh()")
    assert rows(toy, ORPHANS) == []
    assert rows(toy, "select stale from status") == [(False,)]


@pytest.mark.parametrize("deletion", DELETIONS)
def test_activity_by_hand_is_left_to_refresh(toy: str, deletion: str) -> None:
    """It takes no turns; a refresh in between sees nothing of it yet."""
    rows(toy, "insert into entries (entry) values ('Ski Lech')")
    with connect(toy) as first:
        first.execute(
            "insert into activity (user_key, entry_key, frequency)"
            " select user_key, entry_key, 7 from users, entries where user_id = 'ann' and entry = 'Ski Lech'"
        )
        rows(toy, "delete from users where user_id = 'ann'" if deletion == "user" else
             "delete from entries where entry = 'Ski Lech'")  # fmt: skip
        rows(toy, "call refresh()")
    assert rows(toy, ORPHANS) != []
    rows(toy, "call refresh()")
    assert rows(toy, ORPHANS) == []
    assert rows(toy, "select stale from status") == [(False,)]


BUILD = "call build_segmentation('people', k => 2)"


def test_a_deletion_after_a_build_that_is_not_committed(toy: str) -> None:
    with connect(toy) as first:
        first.execute(BUILD)
        with waiting(toy, lambda second: second.execute(DELETIONS["user"].encode())):
            first.commit()
    assert len(rows(toy, "select 1 from segment_assignments")) > 2
    assert rows(toy, ORPHANS) == []


def test_a_build_after_a_deletion_that_is_not_committed(toy: str) -> None:
    with connect(toy) as first:
        first.execute(DELETIONS["user"].encode())
        with waiting(toy, lambda second: second.execute(BUILD)):
            first.commit()
    assert len(rows(toy, "select 1 from segment_assignments")) > 2
    assert rows(toy, ORPHANS) == []


def test_a_build_before_the_refresh_after_a_deletion(toy: str) -> None:
    rows(toy, DELETIONS["user"])
    assert rows(toy, "select user_id from user_vectors where user_id = 'ann'") == [("ann",)]
    rows(toy, BUILD)
    assert rows(toy, ORPHANS) == []


def test_a_deletion_after_a_publication_that_is_not_committed(toy: str) -> None:
    rows(toy, BUILD)
    rows(toy, "update segmentations set published_run_id = null; delete from segment_changes")
    with connect(toy) as first:
        first.execute("call publish_run(1)")
        with waiting(toy, lambda second: second.execute(DELETIONS["user"].encode())):
            first.commit()
    assert len(rows(toy, "select 1 from segment_changes")) > 2
    assert rows(toy, ORPHANS) == []


def test_assignments_that_a_deletion_does_not_see_are_left_to_refresh(toy: str) -> None:
    with connect(toy) as late:
        late.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        late.execute("select count(*) from activity")
        rows(toy, BUILD)
        late.execute(DELETIONS["user"].encode())
    assert {row[0] for row in rows(toy, ORPHANS)} == {"assignments", "changes"}
    rows(toy, "call refresh()")
    assert rows(toy, ORPHANS) == []


@pytest.mark.slow
def test_a_deletion_after_a_build_in_a_space_over_these_people(toy: str) -> None:
    migrate(toy, "other", model=None, weighting=None, of="audience", measure=lambda _: TOY_MODEL)
    with connect(toy, "other") as first:
        first.execute("insert into entry_vectors select * from audience.entry_vectors")
        first.execute("call refresh()")
        first.commit()
        first.execute(BUILD)
        with waiting(toy, lambda second: second.execute(DELETIONS["user"].encode())):
            first.commit()
        assert len(first.execute("select 1 from segment_assignments").fetchall()) > 2
        assert first.execute(ORPHANS).fetchall() == []


def test_a_deletion_after_the_first_audience_that_is_not_committed(toy: str) -> None:
    with connect(toy) as first:
        first.execute("call save_audience('all', search => 'ski', size => 5)")
        with waiting(toy, lambda second: second.execute(DELETIONS["user"].encode())):
            first.commit()
    assert len(rows(toy, "select 1 from audience_members")) > 2
    assert rows(toy, ORPHANS) == []
