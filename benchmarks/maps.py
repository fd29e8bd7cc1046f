"""Make maps of a hundred thousand users, read what a dashboard reads, a query each, and write and open their report."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from measuring import Comparison, Contender, against, alternate, say, timed
from purchases import fill
from serving import SCHEMA, Connection, serving

from pgaudience.database import open_space
from pgaudience.mapping import make_map
from pgaudience.reporting import write_report

USERS, ENTRIES, PAIRS, SEGMENTS = 100_000, 5_000, 500_000, 12
SMALL_USERS, SMALL_ENTRIES, SMALL_PAIRS = 2_000, 1_000, 30_000
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

MEMBERS, BY_JOINS, BARE = "segment_members with attributes", "the same by joins", "the bare join"

# The whole of each relation, as a dashboard that imports it reads it.
READS = {
    "user_map": "select max(x), max(y) from audience_bi.user_map where method = 'pca'",
    "user_map beside segments": """
        select max(m.x), max(s.segment)
        from audience_bi.user_map m
        join audience_bi.segment_members s using (user_id)
        where m.method = 'pca'""",
    MEMBERS: """
        select max(segment), max(runner_up), max(attributes ->> 'country') from audience_bi.segment_members""",
    BY_JOINS: """
        select max(m.segment), max(r.name), max(u.attributes ->> 'country')
        from audience_bi.segment_members m
        join audience_bi.users u using (user_id)
        left join audience_bi.segments r on (r.segmentation, r.segment_id) = (m.segmentation, m.runner_up_id)""",
    BARE: """
        select max(a.similarity), max(u.attributes ->> 'country')
        from audience.segment_assignments a
        join audience.users u using (user_key)""",
    "users_wide": "select country, avg(age) from audience_bi.users_wide group by country",
    "user_attributes": "select attribute, value, count(*) from audience_bi.user_attributes group by 1, 2",
}


def run(*, small: bool) -> dict[str, Any]:
    """Time each step, saying how long it took, and the readers in alternation, also by CPU."""
    users, entries, pairs = (SMALL_USERS, SMALL_ENTRIES, SMALL_PAIRS) if small else (USERS, ENTRIES, PAIRS)
    with serving() as server, server.connect() as connection:
        say(f"filling the space: {users:,} users, {entries:,} entries, {pairs:,} pairs")
        data = fill(connection, users, entries, pairs)
        connection.execute(_ATTRIBUTES)
        _step("refresh", lambda: connection.execute("call refresh()"))
        build = "call build_segmentation('bench', k => %s, max_iterations => 5)"
        _step("build_segmentation", lambda: connection.execute(build, [SEGMENTS]))
        connection.commit()
        connection.autocommit = True
        connection.execute("analyze")
        connection.autocommit = False
        space = open_space(connection, SCHEMA)
        making = {
            name: _step(name, lambda of=of, method=method: make_map(connection, space, of, method, None, 2))
            for of, method in (("users", "pca"), ("users", "centres"), ("entries", "pca"))
            for name in [f"map --of {of} --method {method}"]
        }
        contenders = [Contender(name, lambda query=query: _read(connection, query)) for name, query in READS.items()]
        times = alternate(*contenders, cpu=server.cpu_clock())
        reading = times.report([Comparison(MEMBERS, BY_JOINS), Comparison(MEMBERS, BARE)])
        report = server.folder / "report.html"
        writing = _step("report", lambda: write_report(connection, "bench", report))
        opened = _open(report)
        size = report.stat().st_size
    return {
        "data": data,
        "making": making,
        "reading": reading,
        MEMBERS: against(reading["seconds"][MEMBERS]["median"], TARGET_MEMBERS),
        "report": {
            "seconds to write": writing,
            "bytes": against(size, TARGET_BYTES),
            "seconds to open": "no browser is at hand" if opened is None else against(opened, TARGET_OPEN),
        },
    }


def _step(name: str, run: Callable[[], object]) -> float:
    seconds = round(timed(run), 3)
    say(f"{name}: {seconds:.1f} s")
    return seconds


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


def _read(connection: Connection, query: str) -> None:
    connection.execute(query.encode()).fetchall()
    connection.commit()
