"""The model inside PostgreSQL where databases live: a standby, parallel plans, upgrades, sessions that are stopped."""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from click.testing import CliRunner
from pgvector.psycopg import register_vector

from conftest import _fill_empty, _fill_encoded, connect
from former import former_space
from pgaudience.cli import cli
from pgaudience.embedding.registry import DEFAULT_MODEL, measure
from pgaudience.embedding.sentence_transformers import SentenceTransformersProvider
from pgaudience.installing import migrate
from pgaudience.server import EmbeddedServer
from pgaudience.server.accounts import server_account
from pgaudience.server.binaries import runnable_binaries
from servers import Cluster, scratch

pytestmark = pytest.mark.slow

LEAST_COSINE = 0.9999
BEFORE_THE_ENCODER = "0012"


@pytest.fixture(scope="module")
def provider() -> SentenceTransformersProvider:
    return SentenceTransformersProvider("all-MiniLM-L6-v2")


def embed_in_sql(connection: psycopg.Connection, text: str) -> np.ndarray:
    register_vector(connection)
    found = connection.execute("select embed(%s)", [text]).fetchone()
    assert found
    return found[0].to_numpy()


# A standby


@pytest.fixture(params=[16, 18], ids=["pg16", "pg18"])
def primary(request: pytest.FixtureRequest) -> Iterator[EmbeddedServer]:
    """A server of its own, with an empty space and the packaged model in it."""
    home = Path(tempfile.mkdtemp(prefix="pgaudience-primary-", dir=scratch()))
    home.chmod(0o755)
    server = EmbeddedServer(home, request.param)
    try:
        server.start()
        _fill_empty(server.url())
        _fill_encoded(server.url())
        yield server
    finally:
        server.stop()
        shutil.rmtree(home)


@pytest.fixture
def standby(primary: EmbeddedServer) -> Iterator[EmbeddedServer]:
    """A hot standby of it, which streams."""
    home = primary.home.with_name(f"{primary.home.name}-standby")
    home.mkdir(mode=0o755)
    shutil.copy(primary.home / "password", home / "password")
    data = home / f"data-{primary.major}"
    data.mkdir(mode=0o700)
    account = server_account(primary.home / data.name)
    account.own(data)
    program = runnable_binaries(primary.major, account, primary.home) / "pg_basebackup"
    if not program.is_file():
        pytest.skip("the embedded PostgreSQL has no pg_basebackup")
    options = ["--checkpoint=fast", "--wal-method=stream", "--write-recovery-conf", f"--dbname={primary.url()}"]
    copied = account.run([program, f"--pgdata={data}", *options], cwd=Path("/"))
    if "max_wal_senders" in copied.stderr or "replication" in copied.stderr:
        pytest.skip(f"the server takes no walsender: {copied.stderr.strip()}")
    assert copied.returncode == 0, copied.stderr
    server = EmbeddedServer(home, primary.major)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(home)


def caught_up(primary: psycopg.Connection, standby: psycopg.Connection) -> bool:
    (written,) = primary.execute("select pg_current_wal_lsn()").fetchone() or (None,)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if standby.execute("select pg_last_wal_replay_lsn() >= %s::pg_lsn", [written]).fetchone() == (True,):
            return True
        time.sleep(0.05)
    return False


def test_on_a_standby(primary: EmbeddedServer, standby: EmbeddedServer, provider: SentenceTransformersProvider) -> None:
    with (
        connect(primary.url(), autocommit=True) as writer,
        connect(standby.url(), autocommit=True) as reader,
    ):
        assert reader.execute("select pg_is_in_recovery()").fetchone() == (True,)
        writer.execute(
            "insert into activity_input (user_id, entry)"
            " values ('ann', 'Zermatt Ski School'), ('bob', 'Night club'), ('cy', 'Organic supermarket')"
        )
        writer.execute("call embed_entries()")
        writer.execute("call refresh()")
        assert caught_up(writer, reader)
        reader.execute("set role audience_reader")
        assert reader.execute("select query_source('snowboarding')").fetchone() == ("encoder",)
        found = embed_in_sql(reader, "snowboarding")
        assert found @ provider.embed_queries(["snowboarding"])[0] >= LEAST_COSINE
        for query, user in (("snowboarding", "ann"), ("dancing", "bob"), ("vegetables", "cy")):
            best = reader.execute("select user_id from search_users(%s, k => 1)", [query]).fetchone()
            assert best == (user,)
        assert reader.execute("select is_intact, similarity > 0.9999 from check_encoder()").fetchone() == (True, True)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            reader.execute("call embed_entries()")


# Parallel plans

SPREAD = """
create table texts (text text, filler char(2000));
alter table texts alter filler set storage plain;
alter table texts set (parallel_workers = 2);
insert into texts select 'ski slope number ' || n, 'x' from generate_series(1, 40) n;
analyze texts;
"""
IN_PARALLEL = """
set parallel_setup_cost = 0;
set parallel_tuple_cost = 0;
set min_parallel_table_scan_size = 0;
set parallel_leader_participation = off;
"""
ENCODED = "select text, embed(text)::text from texts"


def test_workers_of_one_query_embed_at_once(encoded: str) -> None:
    with connect(encoded, autocommit=True) as connection:
        connection.execute(SPREAD.encode())
        connection.execute("set max_parallel_workers_per_gather = 0")
        alone = sorted(connection.execute(ENCODED).fetchall())
        connection.execute("set max_parallel_workers_per_gather = 2")
        connection.execute(IN_PARALLEL.encode())
        (plan,) = connection.execute(f"explain (analyze, verbose, format json) {ENCODED}".encode()).fetchone() or ([],)
        assert sorted(connection.execute(ENCODED).fetchall()) == alone
    gather = plan[0]["Plan"]
    assert gather["Node Type"] == "Gather" and gather["Workers Launched"] >= 1, json.dumps(plan)
    scan = gather["Plans"][0]
    assert "embed(" in " ".join(scan["Output"])
    assert sum(worker["Actual Rows"] for worker in scan["Workers"]) == 40


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def test_each_matrix_is_read_once_a_layer_without_statistics(encoded: str) -> None:
    """As in a space that was just restored, before autovacuum has been there."""
    with connect(encoded) as connection:
        connection.execute(
            "delete from pg_statistic where starelid in ('encoder_weights'::regclass, 'encoder'::regclass)"
        )
        ((statement,),) = connection.execute("select encoder_statement(1, 3)").fetchall()
        connection.execute("prepare forward (vector[], bigint[]) as " + statement)
        states = "array_fill(array_fill(0.1::real, array[384])::vector, array[3])"
        (((plan,),),) = connection.execute(
            "explain (analyze, timing off, format json) execute forward (" + states + ", '{{1}}')"
        ).fetchall()
    loops = [n["Actual Loops"] for n in nodes(plan["Plan"]) if n.get("Relation Name") == "encoder_weights"]
    assert len(loops) == 6
    assert max(loops) <= 7


def test_one_session_embeds_with_parallel_workers(encoded: str) -> None:
    with connect(encoded, autocommit=True) as connection, connect(encoded, autocommit=True) as other:
        connection.execute("insert into entries (entry) select 'Climbing hall ' || n from generate_series(1, 120) n")
        alone = encode_all(connection, workers=0)
        assert np.array_equal(encode_all(connection, workers=2), alone)
        seen = set[int]()
        thread = threading.Thread(target=connection.execute, args=["call embed_entries()"])
        thread.start()
        while thread.is_alive():
            rows = other.execute(
                "select pid from pg_stat_activity where leader_pid = %s", [connection.info.backend_pid]
            )
            seen |= {row[0] for row in rows}
            time.sleep(0.02)
        thread.join()
        stored = connection.execute("select embedding from entry_vectors order by entry_key").fetchall()
    assert seen
    assert np.allclose(np.array([row[0].to_numpy() for row in stored]), alone, atol=1e-5)


def test_long_texts_are_committed_a_few_at_once(encoded: str) -> None:
    with connect(encoded, autocommit=True) as connection:
        connection.execute(
            "insert into entries (entry) select n || repeat(' a long way up', 40) from generate_series(1, 10) n"
        )
        connection.execute("create table batches (transaction_id xid8, length int)")
        connection.execute(
            "create function note() returns trigger language plpgsql set search_path from current as"
            " 'begin insert into batches select pg_current_xact_id(), count(*) from inserted; return null; end'"
        )
        connection.execute(
            "create trigger note after insert on entry_vectors referencing new table as inserted"
            " for each statement execute function note()"
        )
        connection.execute("call embed_entries()")
        found = connection.execute("select length from batches order by transaction_id").fetchall()
    assert found == [(8,), (2,)]


def encode_all(connection: psycopg.Connection, workers: int) -> np.ndarray:
    register_vector(connection)
    connection.execute(f"set max_parallel_workers_per_gather = {workers}".encode())
    rows = connection.execute("select unnest(encode_texts(array(select entry from entries order by entry_key)))")
    return np.array([row[0].to_numpy() for row in rows])


# From a release that did not know it


def upgrade(cluster: Cluster) -> str:
    """A space of the release before, with vectors and a token table, brought to this one without weights."""
    url = cluster.clone("empty", _fill_empty)
    former_space(url, BEFORE_THE_ENCODER, model=DEFAULT_MODEL, dimensions=384)
    with connect(url) as connection:
        connection.execute("insert into entries (entry) values ('Zermatt Ski School'), ('Night club')")
        connection.execute(
            "insert into entry_vectors (entry_key, embedding) select entry_key, array_fill(1, array[384])::vector"
            " from entries where entry = 'Night club'"
        )
        connection.execute("insert into tokens (token, embedding) select 'ski', array_fill(1, array[384])::halfvec")
        connection.execute("insert into training_texts (text, embedding) select 'ski', embedding from tokens")
        connection.execute("update space set distilled_at = now(), distilled_entries = 1")
    assert migrate(url, "audience", model=None, weighting=None, measure=measure).changed
    with connect(url) as connection:
        assert connection.execute("select query_source('ski')").fetchone() == ("approximate",)
    return url


@pytest.mark.parametrize("command", ["migrate", "embed"])
def test_an_upgrade_gets_the_model_by_the_first_command_that_has_it(
    cluster: Cluster, provider: SentenceTransformersProvider, command: str
) -> None:
    url = upgrade(cluster)
    done = CliRunner().invoke(cli, ["--database", url, command])
    assert done.exit_code == 0, done.output
    with connect(url, autocommit=True) as connection:
        assert connection.execute("select query_source('ski')").fetchone() == ("encoder",)
        assert embed_in_sql(connection, "ski") @ provider.embed_queries(["ski"])[0] >= LEAST_COSINE
        kept = connection.execute(
            "select embedding = array_fill(1, array[384])::vector from entry_vectors join entries using (entry_key)"
            " where entry = 'Night club'"
        ).fetchall()
        assert kept == [(True,)]
        connection.execute("call embed_entries()")
        assert connection.execute("select entries_pending from status").fetchone() == (0,)
        left = connection.execute(
            "select (select count(*) from tokens), (select count(*) from training_texts), distilled_at from space"
        ).fetchone()
        assert left == (0, 0, None)


# Sessions that are stopped


def test_a_statement_that_takes_too_long_is_stopped(encoded: str) -> None:
    with connect(encoded, autocommit=True) as connection:
        connection.execute("set statement_timeout = '20 ms'")
        for statement in (
            "select embed('night clubs')",
            "select * from search_users('night clubs')",
            "select encode_texts(array_fill('a long way to go'::text, array[500]))",
        ):
            with pytest.raises(psycopg.errors.QueryCanceled):
                connection.execute(statement.encode())


def test_what_was_embedded_before_a_cancel_stays(encoded: str) -> None:
    with connect(encoded) as connection:
        connection.execute("insert into entries (entry) select 'Climbing hall ' || n from generate_series(1, 300) n")
    stopped: list[Any] = []

    def work() -> None:
        with connect(encoded, autocommit=True) as session:
            session.execute("set application_name = 'embeds'")
            try:
                session.execute("call embed_entries()")
            except psycopg.errors.QueryCanceled as error:
                stopped.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    with connect(encoded, autocommit=True) as connection:
        deadline = time.monotonic() + 60
        while connection.execute("select count(*) from entry_vectors").fetchone() == (0,):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        connection.execute(
            "select pg_cancel_backend(pid) from pg_stat_activity"
            " where application_name = 'embeds' and datname = current_database()"
        )
        thread.join(60)
        assert len(stopped) == 1
        (before,) = connection.execute("select count(*) from entry_vectors").fetchone() or (0,)
        assert 0 < before < 300
        connection.execute("call embed_entries()")
        assert connection.execute("select entries_pending from status").fetchone() == (0,)


# Texts nobody would write

MEGABYTE = 1_000_000
STRANGE = ("x" * MEGABYTE, "snow " * (MEGABYTE // 5), "a", "?", "𒀀𒁀𒂀", "ཨོཾ མ་ཎི་པདྨེ་ཧཱུྃ", "\U0001f9ff" * 1_000)


@pytest.mark.parametrize("text", STRANGE, ids=lambda text: f"{text[:4]} × {len(text)}")
def test_a_strange_text_has_the_vector_of_the_model(
    encoded: str, provider: SentenceTransformersProvider, text: str
) -> None:
    with connect(encoded, autocommit=True) as connection:
        assert connection.execute("select query_source(%s)", [text]).fetchone() == ("encoder",)
        exact = provider.embed_queries([" ".join(text.split())])[0]
        assert embed_in_sql(connection, text) @ exact >= LEAST_COSINE
        connection.execute("insert into entries (entry) values (normalize_text(%s))", [text])
        connection.execute("call embed_entries()")
        assert connection.execute("select query_source(%s)", [text]).fetchone() == ("entry",)
        assert embed_in_sql(connection, text) @ exact >= LEAST_COSINE


@pytest.mark.parametrize("text", ["", " ", "\u3000 \t\r\n", "\u200b" * 10_000, " " * MEGABYTE])
def test_a_text_without_anything_in_it_is_an_error(encoded: str, text: str) -> None:
    with (
        connect(encoded) as connection,
        pytest.raises(psycopg.errors.InvalidParameterValue, match=r"blank|sees nothing") as caught,
    ):
        connection.execute("select embed(%s)", [text])
    assert len(str(caught.value)) < 500


def test_no_text_has_a_nul(encoded: str) -> None:
    """The driver refuses it; what another one sends in binary, the server refuses."""
    with connect(encoded) as connection:
        with pytest.raises(psycopg.DataError, match="NUL"):
            connection.execute("select embed(%s)", ["ski\0"])
        sent = connection.pgconn.exec_params(b"select embed($1::text)", [b"ski\0"], param_formats=[1])
        assert b"invalid byte sequence" in sent.error_message
        connection.rollback()
        with pytest.raises(psycopg.errors.UntranslatableCharacter):
            connection.execute("""select embed('{"text": "ski\\u0000"}'::json ->> 'text')""")
