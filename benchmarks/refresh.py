"""Refresh the user vectors in the database, against export, scipy, and COPY back."""

from __future__ import annotations

from typing import Any

import numpy as np
from export import Exported, write_back
from measuring import Comparison, Contender, Times, alternate, say
from purchases import fill
from serving import Connection, serving, settle

USERS, ENTRIES = 50_000, 20_000
PAIRS, SMALL_PAIRS = 740_000, 20_000
TIMES_MORE = 10
TARGET = 0.6
TOLERANCE = 1e-4

SCIPY, REFRESH, CONCURRENTLY = "export, scipy, COPY back", "refresh materialized view", "call refresh()"

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
    second, more = _measure(users, entries, pairs * TIMES_MORE)
    growth = {
        name: {
            "ratio": round(first.ratio(name, SCIPY), 3),
            "with_ten_times_the_pairs": round(second.ratio(name, SCIPY), 3),
            "met": second.ratio(name, SCIPY) <= first.ratio(name, SCIPY),
        }
        for name in (REFRESH, CONCURRENTLY)
    }
    return {"sizes": [results, more], "no_worse_with_ten_times_the_pairs": growth}


def _measure(users: int, entries: int, pairs: int) -> tuple[Times, dict[str, Any]]:
    with serving() as server, server.connect() as connection:
        say(f"filling the space: {users:,} users, {entries:,} entries, {pairs:,} pairs")
        data = fill(connection, users, entries, pairs)
        changed = iter(range(20))
        times = alternate(
            Contender(SCIPY, lambda: _rebuild(connection), lambda: settle(connection)),
            Contender(REFRESH, lambda: _refresh(connection), lambda: settle(connection)),
            Contender(CONCURRENTLY, lambda: _call_refresh(connection), lambda: _change(connection, next(changed))),
        )
        _rebuild(connection)
        _check_same(connection)
    comparisons = [Comparison(REFRESH, SCIPY, TARGET), Comparison(CONCURRENTLY, SCIPY, TARGET)]
    return times, {"data": data, **times.report(comparisons)}


def _rebuild(connection: Connection) -> None:
    exported = Exported.read(connection)
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
