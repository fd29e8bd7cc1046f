"""What stands once and is used everywhere: the hash of a text, the keys of locks, the narrowed search_path."""

from __future__ import annotations

import psycopg
import pytest

from conftest import connect
from pgaudience.distilling.turns import take_turn
from pgaudience.loading.keys import LOCK

HELD = """
select (l.classid::bigint << 32) + l.objid::bigint
from pg_locks l
where l.locktype = 'advisory' and l.database = (select oid from pg_database where datname = current_database())
"""


def plan(connection: psycopg.Connection, statement: str) -> str:
    for way in ("seqscan", "hashjoin", "mergejoin"):
        connection.execute(f"set enable_{way} = off".encode())
    return "\n".join(row[0] for row in connection.execute(f"explain (costs off) {statement}".encode()))


@pytest.mark.parametrize(("table", "column", "index"), [
    ("entries", "entry", "entries_entry"), ("queries", "query", "queries_query"),
])  # fmt: skip
def test_a_text_is_found_by_the_index_of_its_hash(toy: str, table: str, column: str, index: str) -> None:
    """The function is inlined: the migrations' indexes are on md5(…)::uuid."""
    with connect(toy) as connection:
        found = plan(connection, f"select from {table} where text_hash({column}) = text_hash('Ski')")
        assert f"using {index}" in found and f"Index Cond: ((md5({column}))::uuid = " in found
        other = plan(
            connection, f"select from changes c join {table} t on text_hash(t.{column}) = text_hash(c.relation)"
        )
        assert f"Index Cond: ((md5({column}))::uuid = (md5(c.relation))::uuid)" in other
        insert = (
            f"insert into {table} ({column}) select {column} from {table} on conflict (text_hash({column})) do nothing"
        )
        assert connection.execute(insert.encode()).rowcount == 0


def test_the_lock_of_a_load_is_one_key_in_sql_and_python(toy: str) -> None:
    with connect(toy) as connection:
        connection.execute(LOCK)
        ((held,),) = connection.execute(HELD).fetchall()
        connection.rollback()
        connection.execute("insert into activity_input (user_id, entry, frequency) values ('ann', 'Ski', 1)")
        assert connection.execute(HELD).fetchall() == [(held,)]


def test_locks_of_other_things_and_other_spaces_have_other_keys(toy: str) -> None:
    with connect(toy) as connection:
        take_turn(connection)
        ((distill,),) = connection.execute(HELD).fetchall()
        names = ("load", "users", "refresh", "audiences", "distill")
        keys = {name: connection.execute("select lock_key(%s)", [name]).fetchone()[0] for name in names}  # type: ignore[index]
        assert keys["distill"] % 2**64 == distill % 2**64
        assert len(set(keys.values())) == len(names)
        connection.execute("set local search_path = public")
        assert connection.execute("select audience.lock_key('load')").fetchone() != (keys["load"],)


def test_search_path_is_narrowed_for_the_function_that_asks(toy: str) -> None:
    with connect(toy) as connection:
        connection.execute("""
            create function public.narrowed() returns text language plpgsql set search_path from current as $$
            begin
                perform narrow_search_path();
                return current_setting('search_path');
            end
            $$""")
        assert connection.execute("select public.narrowed()").fetchone() == ("audience, pg_temp",)
        assert connection.execute("show search_path").fetchone() == ("audience,public,pg_temp",)
