"""A refresh writes no row that has not changed, whatever the order of activity and the number of processes."""

from __future__ import annotations

import numpy as np
import psycopg
import pytest

from conftest import connect
from pgaudience.database import open_space
from pgaudience.indexing import create_indexes, drop_indexes
from pgaudience.refresh import refresh
from test_best import add_activity, add_entries

USERS, ENTRIES, DIMENSIONS, EACH = 2_000, 300, 3, 12
VIEWS = (
    "entry_stats", "entry_lengths", "common_weights", "user_vectors", "average_user", "centered_user_vectors",
    "entry_sample", "user_sample", "entry_postings",
)  # fmt: skip
IN_PARALLEL = {
    "max_parallel_workers_per_gather": "2",
    "min_parallel_table_scan_size": "0",
    "parallel_setup_cost": "0",
    "parallel_tuple_cost": "0",
}


def versions(connection: psycopg.Connection) -> dict[str, set[tuple[str, str]]]:
    """Return the versions of all rows, by relation."""
    return {
        view: set(connection.execute(f"select xmin::text, ctid::text from {view}".encode()).fetchall())
        for view in VIEWS
    }


def written(connection: psycopg.Connection) -> dict[str, int]:
    """Refresh, and return how many rows that has written, by relation."""
    before = versions(connection)
    refresh(connection)
    return {view: len(rows - before[view]) for view, rows in versions(connection).items()}


@pytest.mark.slow
def test_a_refresh_writes_what_has_changed(space: str) -> None:
    random = np.random.default_rng(0)
    activity = [
        (f"u{user}", int(entry) + 1, float(random.pareto(1) + 0.1))
        for user in range(USERS)
        for entry in random.permutation(ENTRIES)[:EACH]
    ]
    with connect(space) as connection:
        for name, value in IN_PARALLEL.items():
            connection.execute("select set_config(%s, %s, false)", [name, value])
        add_entries(connection, random.normal(size=(ENTRIES, DIMENSIONS)))
        add_activity(connection, activity)
        connection.execute("create temporary table shuffled as select * from activity")
        connection.execute("truncate activity")
        connection.execute("insert into activity select * from shuffled order by random()")
        connection.execute("analyze")
        plan = connection.execute("explain select * from user_vectors_live").fetchall()
        assert "Parallel Seq Scan on activity" in str(plan)
        refresh(connection)
        assert not any(written(connection).values())

        connection.execute("update activity set frequency = frequency + 1 where user_key = 7")
        changed = written(connection)
    assert changed["user_vectors"] == changed["centered_user_vectors"] == changed["entry_lengths"] == 1
    assert changed["entry_stats"] == changed["entry_postings"] == EACH


INDEXES = """
select c.relname, c.oid::text, i.indisvalid
from pg_index i
join pg_class c on c.oid = i.indexrelid
where c.relname like '%user_vectors_embedding'
order by c.relname
"""
READ = "select (select count(*) from user_vectors), (select count(*) from centered_user_vectors)"


@pytest.fixture
def indexed(space: str) -> str:
    """A space of 200 users with indexes."""
    random = np.random.default_rng(1)
    with connect(space) as connection:
        add_entries(connection, random.normal(size=(50, DIMENSIONS)))
        add_activity(connection, [(f"u{n % 200}", n % 50 + 1, n % 7 + 1) for n in range(500)])
        refresh(connection)
        create_indexes(connection, open_space(connection, "audience"), space)
    return space


def change_policy(connection: psycopg.Connection) -> None:
    connection.execute("update space set weighting = 'binary'")
    connection.commit()


def test_an_index_survives_a_change_of_policy(indexed: str) -> None:
    with connect(indexed) as connection:
        before = connection.execute(INDEXES).fetchall()
        change_policy(connection)
        refresh(connection)
        assert connection.execute(INDEXES).fetchall() == before
        assert len(before) == 2
        assert connection.execute(
            "select count(*) from user_vectors v join user_vectors_live l using (user_key)"
            " where v.embedding <-> l.embedding > 1e-6"
        ).fetchone() == (0,)


@pytest.mark.parametrize("policy", [False, True])
def test_readers_need_not_wait(indexed: str, policy: bool) -> None:
    """A refresh under an index keeps nobody waiting, nor does a change of policy with the indexes dropped for it."""
    with connect(indexed) as connection, connect(indexed) as reader:
        reader.autocommit = True
        reader.execute("set lock_timeout = '1s'")
        if policy:
            drop_indexes(connection)
            change_policy(connection)
        else:
            connection.execute("update activity set frequency = 9 where user_key = 7")
            connection.commit()
        connection.execute("call refresh()")
        assert reader.execute(READ).fetchone() == (200, 200)
        connection.commit()
        connection.execute(
            "create index if not exists user_vectors_embedding on user_vectors using hnsw (embedding vector_cosine_ops)"
        )
        assert reader.execute(READ).fetchone() == (200, 200)
