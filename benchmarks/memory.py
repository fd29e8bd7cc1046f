"""The most memory that `pgaudience load` ever has, for files of different length."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from measuring import against, say
from serving import Server, empty, serving
from shopping import write_csv

ROWS, SMALL_ROWS = (1_000_000, 10_000_000), (50_000, 500_000)
TARGET_MB = 500
MEGABYTE = 1_000_000

_ACCOUNT = """
select l.rows_read, l.rows_rejected, count(*), sum(a.frequency)
from loads l
cross join activity a
group by l.load_key
"""


def run(*, small: bool) -> dict[str, Any]:
    """Load both files, each by a process of its own; the target is that of the longer one."""
    shorter, longer = SMALL_ROWS if small else ROWS
    with serving() as server:
        results = [_measure(server, rows) for rows in (shorter, longer)]
    peak = results[-1]["peak_mb"]
    return {"loads": results, "peak_mb": against(peak, TARGET_MB)}


def _measure(server: Server, rows: int) -> dict[str, Any]:
    with server.connect() as connection:
        empty(connection)
        connection.execute("truncate loads")
    file = server.folder / f"{rows}.csv"
    data = write_csv(file, rows)
    say(f"loading {rows:,} rows")
    measured = _load(server, file)
    with server.connect() as connection:
        found = connection.execute(_ACCOUNT).fetchone()
    file.unlink()
    assert found and found[0] == rows, found
    account = dict(zip(("rows_read", "rows_rejected", "pairs", "frequency"), found, strict=True))
    return {
        "data": data,
        **account,
        "seconds": round(measured["seconds"], 1),
        "peak_mb": round(measured["peak_bytes"] / MEGABYTE, 1),
    }


def _load(server: Server, file: Path) -> dict[str, float]:
    loader = [sys.executable, "-m", "pgaudience", "--database", server.url, "load", str(file)]
    options = ["--no-embed", "--no-refresh", "--rejects", str(file.with_suffix(".rejects"))]
    # A small process in between: on Linux a child starts with the peak of the process it was forked from.
    command = [sys.executable, str(Path(__file__).with_name("peak.py")), *loader, *options]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
