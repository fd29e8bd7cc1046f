"""Fill a space with made-up activity and vectors, in the database: for benchmarks that start after the load."""

from __future__ import annotations

from typing import Any

import psycopg
from serving import SCHEMA, Connection, settle

_USERS = """
insert into users (user_id)
select format('user_%%s', 10000000 + n) from generate_series(1, %(users)s) n order by n
"""

_ENTRIES = """
insert into entries (entry)
select format('product %%s', n) from generate_series(1, %(entries)s) n order by n
"""

_VECTORS = """
insert into entry_vectors (entry_key, embedding)
select e.entry_key, l2_normalize(array_agg(random_normal() order by d)::vector)
from entries e
cross join lateral generate_series(1, (select dimensions from space) + 0 * e.entry_key) d
group by e.entry_key
order by e.entry_key
"""

# Draws: few users have most, entries follow a power law. Of the distinct pairs, those that are a user's first stay,
# so that no user is lost, and as many others as are asked for.
_ACTIVITY = """
insert into activity (user_key, entry_key, frequency)
with draws as (
    select u.user_key, 1 + floor(%(entries)s * random() ^ 3)::bigint as entry_key, n
    from users u
    cross join lateral generate_series(
        1,
        1 + ceil(-ln(1 - random() + 0 * u.user_key) * 1.5 * %(pairs)s / %(users)s)::bigint
    ) n
),
pairs as (
    select d.user_key, d.entry_key, min(d.n) as n
    from draws d
    group by d.user_key, d.entry_key
    order by min(d.n) > 1, random()
    limit %(pairs)s
)
select p.user_key, p.entry_key, least(ceil((1 - random()) ^ -0.6), 10000)
from pairs p
order by p.user_key, p.entry_key
"""

_COUNTS = """
select
    (select count(*) from users),
    (select count(*) from entry_vectors),
    count(*),
    count(distinct user_key),
    count(distinct entry_key),
    count(distinct frequency)
from activity
"""


def fill(connection: Connection, users: int, entries: int, pairs: int) -> dict[str, Any]:
    """Fill an empty space, in the order the loader would, and describe what is in it."""
    sizes = {"users": users, "entries": entries, "pairs": pairs}
    connection.execute("select setseed(0.5)")
    for statement in (_USERS, _ENTRIES, _VECTORS, _ACTIVITY):
        connection.execute(statement, sizes)
    connection.commit()
    connection.autocommit = True
    # A plain cursor: that of a space would begin a transaction, in which there is no vacuum.
    tables = ", ".join(f"{SCHEMA}.{table}" for table in ("users", "entries", "entry_vectors", "activity"))
    psycopg.Cursor(connection).execute(f"vacuum analyze {tables}".encode())
    connection.autocommit = False
    settle(connection)
    found = connection.execute(_COUNTS).fetchone()
    connection.commit()
    assert found is not None
    assert found[:4] == (users, entries, pairs, users), found
    names = ("users", "entries", "pairs", "users_with_pairs", "entries_with_pairs", "distinct_frequencies")
    return dict(zip(names, found, strict=True))
