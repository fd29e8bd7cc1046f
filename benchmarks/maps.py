"""Make maps of a hundred thousand users, read what a dashboard reads, a query each, and write and open their report."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from measuring import against, say, timed
from purchases import fill
from serving import SCHEMA, Connection, serving

from pgaudience.database import open_space
from pgaudience.mapping import make_map
from pgaudience.reporting import write_report

USERS, ENTRIES, PAIRS, SEGMENTS = 100_000, 20_000, 1_500_000, 12
SMALL_USERS, SMALL_ENTRIES, SMALL_PAIRS = 2_000, 1_000, 30_000
ROUNDS = 5
TARGET_MEMBERS = 0.3
TARGET_BYTES = 2_000_000
TARGET_OPEN = 2.0
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

_ATTRIBUTES = """
update users
set attributes = jsonb_build_object(
    'country', (array['France', 'Spain', 'Italy'])[1 + user_key % 3], 'age', 18 + user_key % 60
)
"""

# The whole of each relation, as a dashboard that imports it reads it.
READS = {
    "user_map": "select max(x), max(y) from audience_bi.user_map where method = 'pca'",
    "user_map beside segments": """
        select max(m.x), max(s.segment)
        from audience_bi.user_map m
        join audience_bi.segment_members s using (user_id)
        where m.method = 'pca'""",
    "segment_members with attributes": """
        select max(segment), max(runner_up), max(attributes ->> 'country') from audience_bi.segment_members""",
    "the same by joins": """
        select max(m.segment), max(r.name), max(u.attributes ->> 'country')
        from audience_bi.segment_members m
        join audience_bi.users u using (user_id)
        left join audience_bi.segments r on (r.segmentation, r.segment_id) = (m.segmentation, m.runner_up_id)""",
    "users_wide": "select country, avg(age) from audience_bi.users_wide group by country",
    "user_attributes": "select attribute, value, count(*) from audience_bi.user_attributes group by 1, 2",
}


def run(*, small: bool) -> dict[str, Any]:
    """Time each, the median of a few rounds after a first one."""
    users, entries, pairs = (SMALL_USERS, SMALL_ENTRIES, SMALL_PAIRS) if small else (USERS, ENTRIES, PAIRS)
    with serving() as server, server.connect() as connection:
        say(f"filling the space: {users:,} users, {entries:,} entries, {pairs:,} pairs")
        data = fill(connection, users, entries, pairs)
        connection.execute(_ATTRIBUTES)
        connection.execute("call refresh()")
        connection.execute("call build_segmentation('bench', k => %s, max_iterations => 5)", [SEGMENTS])
        connection.commit()
        connection.autocommit = True
        connection.execute("analyze")
        connection.autocommit = False
        space = open_space(connection, SCHEMA)
        making = {
            f"map --of {relation} --method {method}": _median(
                lambda relation=relation, method=method: make_map(connection, space, relation, method, None, 2)
            )
            for relation, method in (("users", "pca"), ("users", "centres"), ("entries", "pca"))
        }
        reading = {name: _median(lambda query=query: _read(connection, query)) for name, query in READS.items()}
        report = server.folder / "report.html"
        writing = round(timed(lambda: write_report(connection, "bench", report)), 3)
        opened = _open(report)
        size = report.stat().st_size
    return {
        "data": data,
        "making": making,
        "reading": reading,
        "segment_members with attributes": against(reading["segment_members with attributes"], TARGET_MEMBERS),
        "report": {
            "seconds to write": writing,
            "bytes": against(size, TARGET_BYTES),
            "seconds to open": "no browser is at hand" if opened is None else against(opened, TARGET_OPEN),
        },
    }


def _open(page: Path) -> float | None:
    """Return the seconds until a headless browser has drawn a page; None without a browser."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        return None
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        view = browser.new_page(viewport={"width": 1440, "height": 900})
        seconds = timed(lambda: (view.goto(page.as_uri()), view.screenshot()))
        browser.close()
    return seconds


def _median(run: Callable[[], object]) -> float:
    run()
    return round(statistics.median(timed(run) for _ in range(ROUNDS)), 3)


def _read(connection: Connection, query: str) -> None:
    connection.execute(query.encode()).fetchall()
    connection.commit()
