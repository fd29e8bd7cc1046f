"""What one machine does with so many users: seconds by the clock and of CPU, and bytes, as JSON.

    .venv/bin/python benchmarks/scale.py [USERS] [PAIRS_A_USER] [--dimensions 384]

The data are made up, in the database, of 20,000 entries. The space is one of views first, then of tables.
What a step took is printed as it ends, on standard error.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from typing import Any

from machine import machine_facts
from measuring import say
from purchases import fill
from serving import DIMENSIONS, Server, serving
from tables import add_entries, materialize

ENTRIES, K, SEARCHES = 20_000, 20, 5

_QUERY = "select embedding::text from entry_vectors order by entry_key limit 1"
_BUILD = "call build_segmentation('all', k => 12)"
_RELATIONS = """
select c.relname, pg_total_relation_size(c.oid)
from pg_class c
where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'm')
order by pg_total_relation_size(c.oid) desc
limit 6
"""


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description="What one machine does with so many users.")
    parser.add_argument("users", nargs="?", type=int, default=50_000)
    parser.add_argument("pairs_a_user", nargs="?", type=int, default=15)
    parser.add_argument("--dimensions", type=int, default=DIMENSIONS)
    options = parser.parse_args()
    with serving(options.dimensions) as server:
        figures = _measure(server, options.users, options.users * options.pairs_a_user)
    json.dump({"machine": machine_facts(), **figures}, sys.stdout, indent=2)
    print()


def _measure(server: Server, users: int, pairs: int) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    clock = server.cpu_clock() or time.process_time
    with server.connect() as connection:

        def take(what: str, run: Callable[[], object], times: int = 1) -> None:
            wall, cpu = time.perf_counter(), clock()
            for _ in range(times):
                run()
                connection.commit()
            took = {
                "wall": round((time.perf_counter() - wall) / times, 3),
                "cpu": round((clock() - cpu) / times, 3),
            }
            say(f"{what}: {took['wall']} s, {took['cpu']} s of CPU")
            figures[what] = took

        def search(mode: str) -> None:
            connection.execute("select * from search_users(%s::vector, k => %s, mode => %s)", [query, K, mode])

        say(f"filling a space: {users:,} users, {pairs:,} pairs")
        figures["data"] = fill(connection, users, ENTRIES, pairs)
        (query,) = connection.execute(_QUERY).fetchone() or ("",)
        take("first refresh", lambda: connection.execute("call refresh()"))
        take("refresh of views", lambda: connection.execute("call refresh()"))
        figures["bytes"] = dict(connection.execute(_RELATIONS).fetchall())
        for mode in ("mean", "hybrid"):
            search(mode)
            take(f"search, {mode}", lambda mode=mode: search(mode), SEARCHES)
        take("12 segments, described", lambda: connection.execute(_BUILD))
        take("the same again", lambda: connection.execute(_BUILD))
        take("from views to tables", lambda: materialize(server))
        add_entries(connection, ENTRIES, 0)
        take("refresh of tables, 1 % have new entries", lambda: connection.execute("call refresh()"))
    return figures


if __name__ == "__main__":
    main()
