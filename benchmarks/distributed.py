"""A distributed space on a Citus of this machine beside one that is not, with the same data: seconds of CPU, as JSON.

    PGAUDIENCE_TEST_CITUS=postgresql://… .venv/bin/python benchmarks/distributed.py [USERS]

The cluster is one on loopback, whose servers are found by their postmaster.pid; the role has to be a superuser. Both
spaces are in one database, made for this and dropped afterwards.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psycopg
from measuring import say
from psycopg import sql

from pgaudience.database import SpaceConnection, connect, use_schema
from pgaudience.installing import migrate
from pgaudience.loading.load import load
from pgaudience.reading import Columns, Rejects, open_source
from pgaudience.refresh import refresh

DIMENSIONS, ENTRIES, PAIRS_A_USER = 384, 20_000, 15
SEARCHES = 5

_POSTMASTERS = """
select distinct (regexp_match(result, '\\d+'))[1]::integer
from run_command_on_all_nodes($$ select split_part(pg_read_file('postmaster.pid'), e'\\n', 1) $$)
"""
_SIZES = """
select relation, sum(citus_total_relation_size(relation))::bigint
from unnest(array['activity', 'users', 'user_vectors', 'centered_user_vectors']) relation
group by relation
"""


def main() -> None:
    """Print the figures of both spaces."""
    url, users = os.environ["PGAUDIENCE_TEST_CITUS"], int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.csv"
        _write(rows, users)
        for kind in ("distributed", "single"):
            say(f"{kind}: {users:,} users, {ENTRIES:,} entries, {users * PAIRS_A_USER:,} rows")
            figures[kind] = _measure(url, f"{kind}_{secrets.token_hex(4)}", rows, distributed=kind == "distributed")
    print(json.dumps({"users": users, "rows": users * PAIRS_A_USER, **figures}, indent=2))


def _write(path: Path, users: int) -> None:
    random = np.random.default_rng(0)
    entries = (ENTRIES * random.random((users, PAIRS_A_USER)) ** 3).astype(int)
    counts = random.integers(1, 30, size=entries.shape)
    with path.open("w") as file:
        file.write("user,entry,count\n")
        for user in range(users):
            file.writelines(
                f"u{user},e{entry},{count}\n" for entry, count in zip(entries[user], counts[user], strict=True)
            )


def _measure(url: str, schema: str, rows: Path, *, distributed: bool) -> dict[str, object]:
    try:
        migrate(
            url, schema, model=None, weighting=None, distributed=distributed,
            measure=lambda _: ("benchmarks:random", DIMENSIONS),
        )  # fmt: skip
        with connect(url) as connection:
            use_schema(connection, schema)
            return _figures(connection, rows, distributed=distributed)
    finally:
        _drop(url, schema)


def _figures(connection: SpaceConnection, rows: Path, *, distributed: bool) -> dict[str, object]:
    servers = [row[0] for row in connection.execute(_POSTMASTERS).fetchall()]
    coordinator = [int(_stat(connection.info.backend_pid)[1])]
    random = np.random.default_rng(1)
    query = str(random.normal(size=DIMENSIONS).tolist())

    def take(what: str, run: Callable[[], object], times: int = 1) -> dict[str, float]:
        say(what)
        wall, cpu, there = time.perf_counter(), _cpu(servers) + time.process_time(), _cpu(coordinator)
        for _ in range(times):
            run()
        return {
            "wall": round((time.perf_counter() - wall) / times, 4),
            "cpu": round((_cpu(servers) + time.process_time() - cpu) / times, 4),
            "of it the coordinator": round((_cpu(coordinator) - there) / times, 4),
        }

    def run_load() -> None:
        source = open_source(rows, format=None, columns=Columns(), rejects=Rejects())
        load(connection, [source])
        connection.commit()

    def search(mode: str) -> None:
        connection.execute("select * from search_users(%s::vector, mode => %s)", [query, mode]).fetchall()
        connection.commit()

    def segment(sample_size: int | None) -> None:
        connection.execute(
            "call build_segmentation('all', k => 12, sample_size => %s, warm_start => false, describe => false,"
            " restarts => 1, max_iterations => 10)",
            [sample_size],
        )
        connection.commit()

    def describe() -> None:
        (run_id,) = connection.execute("select max(run_id) from segmentation_runs").fetchone() or (0,)
        connection.execute("call describe_run(%s)", [run_id])
        connection.commit()

    figures: dict[str, object] = {"load": take("load", run_load), "load again": take("load again", run_load)}
    keys = connection.execute("select entry_key from entries").fetchall()
    with connection.cursor().copy("copy entry_vectors (entry_key, embedding) from stdin") as copy:
        for (key,) in keys:
            vector = random.normal(size=DIMENSIONS)
            copy.write_row((key, str((vector / np.linalg.norm(vector)).round(6).tolist())))
    connection.commit()
    figures["first refresh"] = take("first refresh", lambda: refresh(connection))
    figures["refresh"] = take("refresh", lambda: refresh(connection))
    for mode in ("mean", "hybrid"):
        search(mode)
        figures[f"search, mode {mode}"] = take(f"search, mode {mode}", lambda mode=mode: search(mode), SEARCHES)
    figures["segments, 10 rounds of all"] = take("segments, 10 rounds of all", lambda: segment(None))
    figures["segments, of a sample"] = take("segments, of a sample", lambda: segment(20_000))
    figures["describe"] = take("describe", describe)
    if distributed:
        figures["bytes"] = {name: int(size) for name, size in connection.execute(_SIZES).fetchall()}
    return figures


def _cpu(servers: list[int]) -> float:
    """Seconds of CPU of these servers and all processes they have had."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = _stat(int(stat.parent.name))
        except OSError:
            continue
        if int(stat.parent.name) in servers:
            ticks += sum(map(int, fields[11:15]))
        elif int(fields[1]) in servers:
            ticks += sum(map(int, fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _stat(process: int) -> list[str]:
    """What the system says of a process, from its state on."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()


def _drop(url: str, schema: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("set client_min_messages = error")
        for name in (schema, f"{schema}_bi"):
            connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(name)))
        for suffix in ("reader", "writer", "bi_reader"):
            connection.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(f"{schema}_{suffix}")))


if __name__ == "__main__":
    main()
