"""A refresh writes no row that has not changed, whatever the order of activity and the number of processes."""

from __future__ import annotations

import numpy as np
import psycopg

from conftest import connect
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
    """The versions of all rows, by relation."""
    return {
        view: set(connection.execute(f"select xmin::text, ctid::text from {view}".encode()).fetchall())
        for view in VIEWS
    }


def written(connection: psycopg.Connection) -> dict[str, int]:
    """How many rows a refresh writes, by relation."""
    before = versions(connection)
    refresh(connection)
    return {view: len(rows - before[view]) for view, rows in versions(connection).items()}


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
