"""Workers against real servers: texts that appear, kills, restarts, signals; and the call that waits for one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy

from conftest import Cluster, connect, run_psql
from openai_server import DIMENSIONS, MODEL, OpenAIServer, serving
from pgaudience.database import open_space
from pgaudience.embedding.openai import OpenAIProvider
from pgaudience.installing import migrate
from pgaudience.pipeline import embed_query
from pgaudience.server import EmbeddedServer
from pgaudience.worker import Worker, loop, presence

pytestmark = pytest.mark.slow

BATCH = 8
LONG = 3600.0
WORKER = f"""
from pgaudience.embedding.openai import OpenAIProvider
from pgaudience.cli import main
OpenAIProvider.batch_size = {BATCH}
main()
"""


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OpenAIProvider, "batch_size", BATCH)


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with serving() as found:
        yield found


def create_space(url: str, schema: str = "audience") -> None:
    with psycopg.connect(url) as connection:
        connection.execute("create extension if not exists vector with schema public")
    migrate(url, schema, model=None, weighting=None, measure=lambda _: (f"openai:{MODEL}", DIMENSIONS))


@pytest.fixture
def space(cluster: Cluster) -> str:
    """A space of the model that is served, with nothing in it."""
    return cluster.clone("worked", create_space)


@pytest.fixture
def space18(cluster18: Cluster) -> str:
    """The same, where one version of PostgreSQL will do."""
    return cluster18.clone("worked", create_space)


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "that took too long"
        time.sleep(0.02)


def value(url: str, query: str, schema: str = "audience") -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("select set_config('search_path', quote_ident(%s) || ', public, pg_temp', false)", [schema])
        found = connection.execute(query.encode()).fetchone()
        return found[0] if found else None


def add_entries(url: str, number: int, schema: str = "audience") -> None:
    query = f"""
        with new as (
            insert into entries (entry) select 'place ' || n from generate_series(1, {number}) n returning 1
        )
        select count(*) from new"""
    assert value(url, query, schema) == number


def embedded(url: str, schema: str = "audience") -> int:
    found = value(url, "select count(*) from entry_vectors", schema)
    assert isinstance(found, int)
    return found


def live(url: str, schema: str = "audience") -> object:
    return value(url, "select workers from status", schema)


def call(url: str, text: str, timeout: str = "30 s") -> None:
    with connect(url, autocommit=True) as connection:
        connection.execute("call embed_query(%s, timeout => %s)", [text, timeout])


@contextmanager
def working(url: str, server: OpenAIServer | None, *schemas: str, poll: float = LONG) -> Iterator[Worker]:
    """A worker in a thread, for the time of a block."""
    spaces = schemas or ("audience",)
    before = live(url, spaces[-1])
    assert isinstance(before, int)
    worker = Worker(url, spaces, poll=poll, base_url=server.url if server else None)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        until(lambda: live(url, spaces[-1]) == before + 1)
        yield worker
    finally:
        worker.stop()
        thread.join(30)
    assert not thread.is_alive()


@contextmanager
def process(url: str, server: OpenAIServer, log: Path) -> Iterator[subprocess.Popen[str]]:
    """A worker as the command, killed at the end of the block unless it has ended."""
    command = [sys.executable, "-c", WORKER, "--database", url, "worker", "--base-url", server.url]
    with log.open("w") as stderr:
        started = subprocess.Popen(command, stderr=stderr, text=True)
    try:
        yield started
    finally:
        started.kill()
        started.wait()


# Work


def test_texts_are_embedded_as_they_appear(space: str, server: OpenAIServer) -> None:
    with working(space, server):
        add_entries(space, 20)
        until(lambda: embedded(space) == 20)
        with connect(space) as connection:
            assert connection.execute("select request_embedding('  night   life')").fetchone() == ("waiting",)
        until(lambda: value(space, "select query_source('night life')") == "exact")
        assert value(space, "select vector_dims(embed('night life'))") == DIMENSIONS
    assert set(server.paid().values()) == {1}


def test_it_looks_by_itself_too(space18: str, server: OpenAIServer) -> None:
    with connect(space18) as connection:
        connection.execute("alter table entries disable trigger notify_worker")
    with working(space18, server, poll=0.2):
        add_entries(space18, 1)
        until(lambda: embedded(space18) == 1)


def test_what_waited_before_is_found(space18: str, server: OpenAIServer) -> None:
    add_entries(space18, 3)
    with working(space18, server):
        until(lambda: embedded(space18) == 3)


def test_workers_share_the_work(space: str, server: OpenAIServer) -> None:
    server.delay = 0.05
    with working(space, server), working(space, server), working(space, server):
        assert live(space) == 3
        add_entries(space, 160)
        until(lambda: embedded(space) == 160)
    assert server.paid() == Counter({f"place {n}": 1 for n in range(1, 161)})
    assert live(space) == 0


def test_one_worker_serves_several_spaces(space: str, server: OpenAIServer) -> None:
    schemas = ("audience", 'The "Odd" one', "x" * 48)
    for schema in schemas[1:]:
        create_space(space, schema)
    with working(space, server, *schemas):
        for number, schema in enumerate(schemas, 1):
            assert live(space, schema) == 1
            add_entries(space, number, schema)
            until(lambda: embedded(space, schema) == number)  # noqa: B023
            value(space, f"select request_embedding('query {number}')", schema)
            until(lambda: value(space, "select count(*) from queries where exact", schema) == 1)  # noqa: B023
    assert "length" not in server.paid()


def test_a_query_does_not_wait_for_a_backlog(space18: str, server: OpenAIServer) -> None:
    server.delay = 0.1
    add_entries(space18, 400)
    with working(space18, server):
        until(lambda: embedded(space18) > 0)
        call(space18, "night life")
        assert embedded(space18) < 400


def test_the_real_model(places: str) -> None:
    with working(places, None):
        call(places, "mountain huts", "2 min")
    assert value(places, "select vector_norm(embed('mountain huts'))") == pytest.approx(1)


def test_a_search_in_the_shell_beside_a_worker(space18: str, server: OpenAIServer) -> None:
    server.delay = 0.1
    with working(space18, server), connect(space18) as connection:
        facts = open_space(connection, "audience")
        for number in range(5):
            embed_query(connection, facts, f"query {number}", server.url)
            assert value(space18, f"select query_source('query {number}')") == "exact"
    assert set(server.paid().values()) == {1}


def test_an_upgrade_under_a_worker(space18: str, server: OpenAIServer) -> None:
    with working(space18, server):
        for number in range(8):
            call(space18, f"query {number}")
        value(space18, "update space set bundle_digest = 'another' returning 1")
        create_space(space18)
        call(space18, "night life")
        add_entries(space18, 1)
        until(lambda: embedded(space18) == 1)


# Failures of the model


def test_a_refused_text_is_not_tried_again_by_itself(space: str, server: OpenAIServer) -> None:
    server.refuse = "bad"
    with connect(space) as connection:
        connection.execute("insert into entries (entry) values ('bad place'), ('good place')")
    with working(space, server, poll=0.1):
        with pytest.raises(psycopg.errors.InvalidParameterValue, match=r"the model refused the text: .*contains bad"):
            call(space, "bad query")
        until(lambda: embedded(space) == 1)
        asked = len(server.requests)
        call(space, "good query")
        assert [request.texts for request in server.requests[asked:]] == [["good query"]]
        assert value(space, "select sum(attempts) from entry_failures") == 1
        assert value(space, "select queries_waiting from status") == 0
        server.refuse = None
        call(space, "bad query")


def test_a_service_that_fails_does_not_end_it(
    space18: str, server: OpenAIServer, capfd: pytest.CaptureFixture[str]
) -> None:
    server.key = "another"
    add_entries(space18, 1)
    with working(space18, server, poll=0.2):
        until(lambda: len(server.requests) > 1)
        assert embedded(space18) == 0
        server.key = None
        until(lambda: embedded(space18) == 1)
    log = capfd.readouterr().err
    assert "Incorrect API key provided" in log and "trying again in 0.2 s\nHint: set OPENAI_API_KEY" in log
    assert f"audience: embedded 1 texts with openai:{MODEL}\nStopped\n" in log


# Kills, restarts, signals


def test_a_killed_worker_loses_nothing(space: str, server: OpenAIServer, tmp_path: Path) -> None:
    server.delay = 0.05
    add_entries(space, 120)
    value(space, "select request_embedding('night life')")
    with process(space, server, tmp_path / "log") as worker:
        until(lambda: embedded(space) > 2 * BATCH)
        worker.kill()
        worker.wait()
    until(lambda: live(space) == 0)
    assert embedded(space) < 120
    with working(space, server):
        assert value(space, "select count(*) from workers") == 1
        until(lambda: embedded(space) == 120)
    assert value(space, "select query_source('night life')") == "exact"
    assert sum(times - 1 for times in server.paid().values()) <= BATCH


def test_a_restarted_server_loses_nothing(server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "FIRST_PAUSE_SECONDS", 0.1)
    server.delay = 0.05
    home = Path(tempfile.mkdtemp(prefix="pgaudience-worker-", dir="/tmp"))
    home.chmod(0o755)
    postgres = EmbeddedServer(home)
    postgres.start()
    try:
        url = postgres.url()
        create_space(url)
        with working(url, server):
            add_entries(url, 120)
            until(lambda: embedded(url) > 2 * BATCH)
            os.kill(int((home / f"data-{postgres.major}" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
            postgres.start()
            assert embedded(url) < 120
            until(lambda: embedded(url) == 120)
            call(url, "night life")
            assert live(url) == value(url, "select count(*) from workers") == 1
    finally:
        postgres.stop()
        shutil.rmtree(home)
    assert sum(times - 1 for times in server.paid().values()) <= BATCH


def test_a_lost_connection_is_made_anew(space18: str, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "BEAT_SECONDS", 0.1)
    with working(space18, server):
        first = value(space18, "select backend_pid from live_workers")
        value(space18, "select bool_or(pg_terminate_backend(pid)) from pg_stat_activity"
              " where datname = current_database() and application_name = 'pgaudience'")  # fmt: skip
        until(lambda: value(space18, "select backend_pid from live_workers") not in (None, first))
        call(space18, "night life")
        assert live(space18) == value(space18, "select count(*) from workers") == 1


def test_it_stops_on_a_signal_with_the_batch_in_hand_stored(space: str, server: OpenAIServer, tmp_path: Path) -> None:
    server.delay = 0.2
    add_entries(space, 120)
    with process(space, server, tmp_path / "log") as worker:
        until(lambda: len(server.paid()) > 2 * BATCH)
        worker.terminate()
        assert worker.wait(30) == 0
    assert embedded(space) == len(server.paid()) < 120
    assert value(space, "select count(*) from workers") == 0
    log = (tmp_path / "log").read_text().splitlines()
    assert log[0] == "Waiting for texts of audience"
    assert log[-2:] == [f"audience: embedded {embedded(space)} texts with openai:{MODEL}", "Stopped"]


def test_a_space_that_is_not_there(database: str, server: OpenAIServer, tmp_path: Path) -> None:
    with process(database, server, tmp_path / "log") as worker:
        assert worker.wait(30) == 1
    assert (tmp_path / "log").read_text().startswith("Error: there is no space 'audience' in this database\nHint: ")


# Who is alive


def test_the_heart_beats_during_a_long_batch(
    space18: str, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "BEAT_SECONDS", 0.05)
    answer, released = server.answer, threading.Event()
    with working(space18, server):
        server.answer = lambda *request: answer(*request) if released.wait(30) else {}
        add_entries(space18, 1)
        try:
            for _ in range(3):
                seen = value(space18, "select worker_seen_at from status")
                until(lambda: value(space18, "select worker_seen_at from status") != seen)  # noqa: B023
            value(space18, "delete from workers returning 1")
            until(lambda: live(space18) == 1)
            assert embedded(space18) == 0
        finally:
            released.set()
        until(lambda: embedded(space18) == 1)


def test_the_dead_are_not_counted_and_are_removed(space: str, server: OpenAIServer) -> None:
    with connect(space) as gone:
        pid = gone.info.backend_pid
    with connect(space, autocommit=True) as other:
        other.execute("insert into workers (backend_pid) values (%s)", [pid])
        other.execute("insert into workers (backend_pid, seen_at) values (pg_backend_pid(), now() - interval '1 min')")
        until(lambda: live(space) == 0)
        with working(space, server):
            assert value(space, "select count(*) from workers") == 1


# The call that waits


def test_embed_query_in_autocommit(space: str, server: OpenAIServer) -> None:
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=lambda: connect(space), poolclass=sqlalchemy.NullPool
    )
    with working(space, server):
        call(space, "from psycopg")
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sqlalchemy.text("call embed_query('from sqlalchemy')"))
        done = run_psql(space, "-c", "call embed_query('from psql')")
        assert (done.returncode, done.stdout) == (0, "CALL\n")
        run_psql(space, "-c", "do $$ begin call embed_query('from a block'); end $$")
        assert value(space, "select count(*) from queries where exact") == 4
        call(space, "from psycopg", "0")


def test_embed_query_in_a_transaction(space: str) -> None:
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=lambda: connect(space), poolclass=sqlalchemy.NullPool
    )
    with connect(space) as connection, pytest.raises(psycopg.errors.ActiveSqlTransaction, match="autocommit"):
        connection.execute("call embed_query('chess')")
    with engine.connect() as connection, pytest.raises(sqlalchemy.exc.DBAPIError) as caught:
        connection.execute(sqlalchemy.text("call embed_query('chess')"))
    assert isinstance(caught.value.orig, psycopg.errors.ActiveSqlTransaction)
    query = "call embed_query('chess')"
    for args in (
        ["-1", "-c", query],
        ["-c", "begin", "-c", query],
        ["-c", f"begin; {query}"],
        ["-c", f"{query}; {query}"],
    ):
        done = run_psql(space, "-v", "VERBOSITY=verbose", *args)
        assert "ERROR:  25001: embed_query cannot run in a transaction block" in done.stderr
        assert "HINT:  Call it in autocommit mode" in done.stderr
    handled = "do $$ begin call embed_query('chess'); exception when active_sql_transaction then raise 'caught'; end $$"
    assert "caught" in run_psql(space, "-c", handled).stderr
    assert value(space, "select count(*) from queries") == 0


def test_embed_query_without_a_worker(space: str, server: OpenAIServer) -> None:
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="no worker is running") as caught:
        call(space, "night life", "1 hour")
    assert "pgaudience worker" in str(caught.value.diag.message_hint)
    with working(space, server):
        until(lambda: value(space, "select query_source('night life')") == "exact")


def test_embed_query_that_takes_too_long(space: str) -> None:
    with connect(space, autocommit=True) as asleep:
        asleep.execute("insert into workers (backend_pid) values (pg_backend_pid())")
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="no vector within") as caught:
            call(space, "night life", "0.2 s")
    assert caught.value.diag.message_hint == "Wait longer: call embed_query('night life', timeout => '1 min');"
    assert value(space, "select query_source('night life')") == "waiting"


def test_embed_query_of_nothing(space: str) -> None:
    for text, timeout in ((" ", "1 s"), (None, "1 s"), ("night life", "-1 s"), ("night life", None)):
        with pytest.raises(psycopg.errors.InvalidParameterValue):
            call(space, text, timeout)  # type: ignore[arg-type]


def test_embed_query_leaves_the_search_path_and_minds_no_other(space: str, server: OpenAIServer) -> None:
    functions = {
        "query_source(text)": "text",
        "set_config(text, text, boolean)": "text",
        "clock_timestamp()": "timestamptz",
        "pg_sleep(double precision)": "void",
    }
    with working(space, server), psycopg.connect(space, autocommit=True) as connection:
        connection.execute("create schema evil")
        for function, returns in functions.items():
            connection.execute(
                f"create function evil.{function} returns {returns}"
                " language plpgsql as $$ begin raise 'hijacked'; end $$"
            )
        connection.execute("create temp table live_workers ()")
        connection.execute("set search_path = evil, pg_catalog, audience")
        connection.execute("call audience.embed_query('night life', timeout => '30 s')")
        assert connection.execute("show search_path").fetchone() == ("evil, pg_catalog, audience",)
        connection.execute("do $$ begin call audience.embed_query('night life'); end $$")
        assert connection.execute("show search_path").fetchone() == ("evil, pg_catalog, audience",)
    assert value(space, "select query_source('night life')") == "exact"
