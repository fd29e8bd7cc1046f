"""Under a publication of all tables, as logical replication and change data capture make it."""

from __future__ import annotations

import psycopg

from conftest import connect

WITHOUT_IDENTITY = """
select c.relname
from pg_class c
where c.relnamespace in ('audience'::regnamespace, 'audience_bi'::regnamespace)
    and c.relkind in ('r', 'p')
    and not (
        c.relreplident = 'f'
        or c.relreplident = 'd' and exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary)
    )
"""

# What updates and deletes rows, each as a transaction of its own.
WORK = (
    "insert into activity_input values ('ann', 'Ski Aspen'), ('gus', 'Ski Lech')",
    "call refresh()",
    "update space set weighting = 'sqrt'",
    "call refresh()",
    "call build_segmentation('people', k => 2)",
    "call build_segmentation('people', k => 3)",
    "call describe_run(2)",
    "call rename_segment('people', 1, 'Skiers')",
    "call save_audience('skiers', search => 'ski', size => 3)",
    "delete from users where user_id = 'ann'",
    "call refresh()",
    "call refresh_audiences()",
    "delete from segmentation_runs where run_id = 1",
    "delete from entries where entry = 'Coffee Bar'",
    "call drop_audience('skiers')",
    "delete from segmentations",
    "call refresh()",
)


def test_every_table_has_a_replica_identity(space: str) -> None:
    with connect(space) as connection:
        assert connection.execute(WITHOUT_IDENTITY).fetchall() == []


def test_everything_works_under_a_publication_of_all_tables(toy: str) -> None:
    with psycopg.connect(toy) as connection:
        connection.execute("create publication everything for all tables")
    with connect(toy, autocommit=True) as connection:
        for statement in WORK:
            connection.execute(statement.encode())
        assert connection.execute("select stale from status").fetchone() == (False,)
