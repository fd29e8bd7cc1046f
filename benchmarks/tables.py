"""Refresh a space of tables after little has changed, against one of views, and load into both."""

from __future__ import annotations

from typing import Any

from load import load_file
from measuring import Comparison, Contender, alternate, say
from purchases import fill
from serving import SCHEMA, Connection, Server, empty, serving, settle
from shopping import write_csv

from pgaudience.installing import migrate

SIZES = {"users": 50_000, "entries": 20_000, "pairs": 740_000}
LARGE_SIZES = {"users": 500_000, "entries": 20_000, "pairs": 7_400_000}
SMALL_SIZES = {"users": 2_000, "entries": 1_000, "pairs": 20_000}
LOADED_ROWS, SMALL_LOADED_ROWS = 1_000_000, 20_000
TARGET, TARGET_OF_A_LOAD = 0.08, 1.05

VIEWS, MORE, NEW = "views", "tables, 1 % did more of the same", "tables, 1 % have new entries"
LOAD_VIEWS, LOAD_TABLES = "a load into a space of views", "a load into one of tables"

_MORE = """
update activity a
set frequency = a.frequency + 1
from (
    select user_key, min(entry_key) as entry_key
    from activity
    where user_key %% 100 = %s
    group by user_key
) c
where (a.user_key, a.entry_key) = (c.user_key, c.entry_key)
"""

_NEW = """
insert into activity as a (user_key, entry_key, frequency)
select distinct u.user_key, 1 + floor(%s * random() ^ 3)::bigint, 2
from users u
cross join generate_series(1, 2)
where u.user_key %% 100 = %s
on conflict (user_key, entry_key) do update set frequency = a.frequency + 1
"""

_DIFFERENT = """
select count(*)
from user_vectors v
full join user_vectors_live l using (user_key)
where v.embedding <-> l.embedding <= 1e-6 is not true
"""


def run(*, small: bool) -> dict[str, Any]:
    """Time refreshes after one user in a hundred has changed, and loads."""
    refreshes = _refreshes(SMALL_SIZES if small else SIZES)
    return {"refresh": refreshes, "load": _loads(SMALL_LOADED_ROWS if small else LOADED_ROWS)}


def run_large(*, small: bool) -> dict[str, Any]:
    """Time refreshes with ten times the users."""
    return _refreshes(SMALL_SIZES if small else LARGE_SIZES)


def _refreshes(sizes: dict[str, int]) -> dict[str, Any]:
    with serving() as views, serving() as tables, views.connect() as one, tables.connect() as other:
        for connection in (one, other):
            say(f"filling a space: {sizes}")
            data = fill(connection, **sizes)
            _refresh(connection)
        materialize(tables)
        clocks = [server.cpu_clock() for server in (views, tables)]
        hundredths = iter(range(100))
        times = alternate(
            Contender(VIEWS, lambda: _refresh(one), lambda: _change(one, _MORE, next(hundredths))),
            Contender(MORE, lambda: _refresh(other), lambda: _change(other, _MORE, next(hundredths))),
            Contender(NEW, lambda: _refresh(other), lambda: add_entries(other, sizes["entries"], next(hundredths))),
            cpu=lambda: sum(clock() for clock in clocks if clock),
        )
        assert other.execute(_DIFFERENT).fetchone() == (0,)
    comparisons = [Comparison(MORE, VIEWS, TARGET), Comparison(NEW, VIEWS, TARGET)]
    return {"data": data, **times.report(comparisons)}


def _loads(rows: int) -> dict[str, Any]:
    with serving() as views, serving() as tables, views.connect() as one, tables.connect() as other:
        materialize(tables)
        file = views.folder / "shopping.csv"
        data = write_csv(file, rows)
        clocks = [server.cpu_clock() for server in (views, tables)]
        times = alternate(
            Contender(LOAD_VIEWS, lambda: load_file(one, file, "replace"), lambda: empty(one)),
            Contender(LOAD_TABLES, lambda: load_file(other, file, "replace"), lambda: empty(other)),
            cpu=lambda: sum(clock() for clock in clocks if clock),
        )
    return {"data": data, **times.report([Comparison(LOAD_TABLES, LOAD_VIEWS, TARGET_OF_A_LOAD)])}


def materialize(server: Server) -> None:
    """Make a space of views one of tables."""
    migrate(server.url, SCHEMA, model=None, weighting=None, materialization="tables", measure=_keep)


def _keep(_: str | None) -> tuple[str, int]:
    raise AssertionError("a space that exists keeps its model")


def add_entries(connection: Connection, entries: int, hundredth: int) -> None:
    """Give one user in a hundred two entries, of those most have."""
    _change(connection, _NEW, entries, hundredth)


def _change(connection: Connection, statement: str, *values: int) -> None:
    connection.execute(statement.encode(), values)
    connection.commit()
    settle(connection)


def _refresh(connection: Connection) -> None:
    connection.execute("call refresh()")
    connection.commit()
