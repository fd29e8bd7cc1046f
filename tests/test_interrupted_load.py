"""Loads that are killed, or whose model service fails, after their rows are in: the same command goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from conftest import Cluster, connect
from openai_server import DIMENSIONS, OpenAIServer, serving
from pgaudience.errors import PgaudienceError
from pgaudience.installing import migrate
from pgaudience.loading.load import load
from pgaudience.reading import Columns, Rejects, open_query, open_source

pytestmark = pytest.mark.slow

ROWS = "user,item,count\nann,Ski Aspen,2\nann,Jazz Club,1\nbob,Boxing Gym,4\n"
ACTIVITY = "select user_id, entry, frequency from activity join users using (user_key) join entries using (entry_key)"


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with serving() as found:
        yield found


@pytest.fixture
def space(cluster: Cluster, server: OpenAIServer) -> str:
    url = cluster.clone("empty", _with_vector)
    migrate(url, "audience", model=server.model, weighting=None, measure=lambda _: (server.model, DIMENSIONS))
    return url


def _with_vector(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("create extension vector with schema public")


def begin(url: str, server: OpenAIServer, folder: Path, *options: str) -> subprocess.Popen[str]:
    (folder / "rows.csv").write_text(ROWS)
    return subprocess.Popen(
        [sys.executable, "-m", "pgaudience", "load", "rows.csv", "--mode", "add", "--no-distill",
         "--base-url", server.url, *options],
        env={**os.environ, "PGAUDIENCE_DATABASE_URL": url, "OPENAI_API_KEY": "x"}, cwd=folder, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def run(url: str, server: OpenAIServer, folder: Path, *options: str) -> tuple[int, str]:
    process = begin(url, server, folder, *options)
    _, said = process.communicate(timeout=300)
    return process.returncode, said


def rows(url: str, query: str) -> list[tuple]:
    with connect(url, autocommit=True) as connection:
        return connection.execute(query).fetchall()


def assert_whole(url: str) -> None:
    """Every row is in once, embedded and refreshed."""
    assert sorted(rows(url, ACTIVITY)) == [("ann", "Jazz Club", 1), ("ann", "Ski Aspen", 2), ("bob", "Boxing Gym", 4)]
    assert rows(url, "select entries_pending, users_with_vector, stale from status") == [(0, 2, False)]
    assert rows(url, "select count(*), count(finished_at) from loads") == [(1, 1)]


def test_a_load_that_was_killed_goes_on(space: str, server: OpenAIServer, tmp_path: Path) -> None:
    server.delay = 600
    process = begin(space, server, tmp_path)
    end = time.monotonic() + 240
    while not rows(space, "select from loads"):
        assert time.monotonic() < end
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert rows(space, "select users_with_vector, finished_at from status, loads") == [(0, None)]
    server.delay = 0
    code, said = run(space, server, tmp_path)
    assert code == 0, said
    assert "rows.csv: its rows are in since" in said
    assert "going on with what was left to do" in said
    assert_whole(space)
    code, said = run(space, server, tmp_path)
    assert code == 1
    assert "was loaded before" in said
    assert "replace" not in said
    assert_whole(space)


def test_a_load_whose_model_service_failed_goes_on(space: str, server: OpenAIServer, tmp_path: Path) -> None:
    server.key = "another"
    code, said = run(space, server, tmp_path)
    assert code == 1, said
    server.key = None
    more = tmp_path / "more.csv"
    more.write_text("user,item\ncy,Ski Aspen\n")
    code, said = run(space, server, tmp_path, str(more))
    assert code == 0, said
    assert "more.csv: 1 rows read, 1 accepted" in said
    assert sorted(rows(space, ACTIVITY))[:3] == [
        ("ann", "Jazz Club", 1),
        ("ann", "Ski Aspen", 2),
        ("bob", "Boxing Gym", 4),
    ]
    assert rows(space, "select count(*), count(finished_at), stale from loads, status group by stale") == [
        (2, 2, False)
    ]


def test_a_load_that_was_killed_before_its_commit_begins_anew(space: str, server: OpenAIServer, tmp_path: Path) -> None:
    with connect(space) as holder:
        holder.execute("lock table activity in access exclusive mode")
        process = begin(space, server, tmp_path)
        end = time.monotonic() + 240
        waits = "select from pg_stat_activity where wait_event_type = 'Lock' and query ilike '%activity%'"
        while not rows(space, waits):
            assert time.monotonic() < end
            time.sleep(0.1)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert rows(space, "select count(*) from loads") == [(0,)]
    code, said = run(space, server, tmp_path)
    assert code == 0, said
    assert "its rows are in" not in said
    assert_whole(space)


def test_a_query_goes_on_too(space: str, cluster: Cluster) -> None:
    """Its content is known only when it is read."""
    query = "select 'ann' as customer, 'Ski Aspen' as place, 2 as visits"

    def bring(**options: object) -> list[str]:
        with (
            connect(space) as connection,
            open_query(query, cluster.url(), Columns(user="customer"), Rejects()) as source,
        ):
            merged = load(connection, [source], mode="add", **options)  # type: ignore[arg-type]
        return [each.name for each in merged.unfinished]

    assert bring(goes_on=True) == []
    assert len(bring(goes_on=True)) == 1
    assert len(bring()) == 1
    assert rows(space, ACTIVITY) == [("ann", "Ski Aspen", 2)]
    with pytest.raises(PgaudienceError, match="was loaded before"):
        bring()
    assert bring(force=True) == []
    assert rows(space, ACTIVITY) == [("ann", "Ski Aspen", 4)]


def test_a_load_by_itself_is_finished(space: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(ROWS)
    with connect(space) as connection:
        load(connection, [open_source(path, format=None, columns=Columns(), rejects=Rejects())])
    assert rows(space, "select finished_at = loaded_at from loads") == [(True,)]
