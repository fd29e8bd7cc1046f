"""Refresh the user vectors in the database, against export, scipy, and COPY back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from export import Exported, through_psql, through_psycopg, write_back
from measuring import ROUNDS, ROUNDS_OF_LONG, Comparison, Contender, Times, against, alternate, say
from purchases import fill
from serving import Connection, serving, settle

USERS, ENTRIES = 50_000, 20_000
PAIRS, SMALL_PAIRS = 740_000, 20_000
TIMES_MORE = 10
TARGET = 0.6
TOLERANCE = 1e-4

PSYCOPG, PSQL = "psycopg, scipy, COPY back", "psql, scipy, COPY back"
REFRESH, CONCURRENTLY = "refresh materialized view", "call refresh()"
PAIRINGS = tuple((of, to) for to in (PSYCOPG, PSQL) for of in (REFRESH, CONCURRENTLY))

# One user in twenty has changed, about what a day brings: a concurrent refresh has something to do.
_CHANGE = """
update activity a
set frequency = a.frequency + 1
from (
    select user_key, min(entry_key) as entry_key
    from activity
    where user_key %% 20 = %s
    group by user_key
) c
where (a.user_key, a.entry_key) = (c.user_key, c.entry_key)
"""

_LARGEST_DIFFERENCE = """
select max(v.embedding <-> b.embedding), count(*), (select count(*) from user_vectors)
from user_vectors v
join public.built b using (user_key)
"""


def run(*, small: bool) -> dict[str, Any]:
    """Time both at two sizes, the second with ten times the pairs of the same users and entries."""
    users, entries, pairs = (2_000, 1_000, SMALL_PAIRS) if small else (USERS, ENTRIES, PAIRS)
    first, results = _measure(users, entries, pairs)
    second, more = _measure(users, entries, pairs * TIMES_MORE, ROUNDS_OF_LONG)
    growth = [_growth(of, to, first.ratio(of, to), second.ratio(of, to)) for of, to in PAIRINGS]
    return {"sizes": [results, more], "no_worse_with_ten_times_the_pairs": growth}


def _growth(of: str, to: str, ratio: float, with_more: float) -> dict[str, Any]:
    return {"of": f"{of}, with ten times the pairs", "to": to, **against(with_more, round(ratio, 4))}


def _measure(users: int, entries: int, pairs: int, rounds: int = ROUNDS) -> tuple[Times, dict[str, Any]]:
    with serving() as server, server.connect() as connection:
        say(f"filling the space: {users:,} users, {entries:,} entries, {pairs:,} pairs")
        data = fill(connection, users, entries, pairs)
        psycopg, psql = through_psycopg(connection), through_psql(server.url)
        changed = iter(range(20))
        times = alternate(
            Contender(PSYCOPG, lambda: _rebuild(connection, psycopg), lambda: settle(connection)),
            Contender(PSQL, lambda: _rebuild(connection, psql), lambda: settle(connection)),
            Contender(REFRESH, lambda: _refresh(connection), lambda: settle(connection)),
            Contender(CONCURRENTLY, lambda: _call_refresh(connection), lambda: _change(connection, next(changed))),
            rounds=rounds,
            cpu=server.cpu_clock(),
        )
        _rebuild(connection, psql)
        _check_same(connection)
    return times, {"data": data, **times.report(Comparison(of, to, TARGET) for of, to in PAIRINGS)}


def _rebuild(connection: Connection, copy_out: Callable[[str], bytes]) -> None:
    exported = Exported.read(copy_out)
    write_back(connection, exported.user_keys, exported.profiles())


def _refresh(connection: Connection) -> None:
    connection.execute("refresh materialized view user_vectors")
    connection.commit()


def _call_refresh(connection: Connection) -> None:
    connection.execute("call refresh()")
    connection.commit()


def _change(connection: Connection, remainder: int) -> None:
    connection.execute(_CHANGE, [remainder])
    connection.commit()
    settle(connection)


def _check_same(connection: Connection) -> None:
    found = connection.execute(_LARGEST_DIFFERENCE).fetchone()
    connection.commit()
    assert found is not None
    difference, common, refreshed = found
    assert common == refreshed, found
    assert np.isfinite(difference), found
    assert difference < TOLERANCE, f"the vectors differ by {difference}"
