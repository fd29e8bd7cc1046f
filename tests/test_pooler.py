"""Through PgBouncer in transaction mode, with one session of the server for all, in which nothing may be left."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from conftest import Cluster, connect
from openai_server import DIMENSIONS, MODEL, serving
from pgaudience.database import connect as connect_as_command
from pgaudience.database import open_space
from pgaudience.distilling.turns import others_turn, take_turn
from pgaudience.errors import PgaudienceError
from pgaudience.installing import migrate
from pgaudience.loading.load import load
from pgaudience.reading import Columns, Rejects, open_source
from pgaudience.worker import Worker

pytestmark = pytest.mark.slow

SPACES = ("s1", "s2")
CONFIGURATION = """
[databases]
* = host={sockets} port={server_port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = 1
query_wait_timeout = 60
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def pooler(cluster18: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Where a PgBouncer in front of the server listens."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        pytest.skip("needs PgBouncer: apt-get install pgbouncer")
    server = {key: str(value) for key, value in conninfo_to_dict(cluster18.url()).items()}
    folder, port = Path(tempfile.mkdtemp(prefix="pooler-", dir=cluster18.server.home)), free_port()
    folder.chmod(0o755)
    (folder / "users").write_text(f'"{server["user"]}" "{server["password"]}"\n')
    (folder / "pgbouncer.ini").write_text(
        CONFIGURATION.format(sockets=server["host"], server_port=server["port"], port=port, folder=folder)
    )
    # It refuses to run as root; the server's own system user reaches the server's socket.
    owner = Path(server["host"]).stat()
    with (folder / "log").open("w") as log:
        started = subprocess.Popen(
            [program, folder / "pgbouncer.ini"],
            user=owner.st_uid if os.geteuid() == 0 else None,
            group=owner.st_gid if os.geteuid() == 0 else None,
            extra_groups=[] if os.geteuid() == 0 else None,
            stderr=log,
        )
    where = {"host": "127.0.0.1", "port": str(port)}
    for _ in range(100):
        assert started.poll() is None, (folder / "log").read_text()
        try:
            psycopg.connect(cluster18.url(), **where).close()
            break
        except psycopg.OperationalError:
            time.sleep(0.1)
    yield where
    started.terminate()
    started.wait(30)


def _fill(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("create extension vector with schema public")
    for space in SPACES:
        migrate(url, space, model=None, weighting=None, measure=lambda _: (f"openai:{MODEL}", DIMENSIONS))


@pytest.fixture
def direct(cluster18: Cluster) -> str:
    """Two spaces of a model that is served, as seen without the pooler."""
    return cluster18.clone("pooled", _fill)


@pytest.fixture
def pooled(direct: str, pooler: dict[str, str]) -> str:
    """The same through the pooler."""
    return make_conninfo(direct, **pooler)


def rows_of(folder: Path, space: str, users: int) -> Path:
    file = folder / f"{space}.csv"
    lines = [f"{space} user {n},place {n % 20}\n" for n in range(users)]
    file.write_text("user_id,entry\n" + "".join(lines))
    return file


def command(url: str, *args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pgaudience", *args],
        env={**os.environ, "PGAUDIENCE_DATABASE_URL": url, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def users(url: str, space: str) -> list[tuple]:
    with connect(url, space) as connection:
        return connection.execute("select split_part(user_id, ' ', 1), count(*) from users group by 1").fetchall()


def test_two_loads_in_turns_keep_to_their_spaces(pooled: str, direct: str, tmp_path: Path) -> None:
    """Both connections are told of their space before either begins to load."""
    with connect_as_command(pooled) as first, connect_as_command(pooled) as second:
        connections = dict(zip(SPACES, (first, second), strict=True))
        for space, connection in connections.items():
            open_space(connection, space)
        for space, connection in connections.items():
            file = rows_of(tmp_path, space, 50)
            with Rejects() as rejects, open_source(file, format=None, columns=Columns(), rejects=rejects) as source:
                load(connection, [source])
    assert [users(direct, space) for space in SPACES] == [[(space, 50)] for space in SPACES]


def test_two_loads_at_once_keep_to_their_spaces(pooled: str, direct: str, tmp_path: Path) -> None:
    done: list[subprocess.CompletedProcess[str]] = []

    def run(space: str) -> None:
        file = rows_of(tmp_path, space, 20_000)
        done.append(command(pooled, "--schema", space, "load", str(file), "--no-embed"))

    threads = [threading.Thread(target=run, args=(space,)) for space in SPACES]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert [each.returncode for each in done] == [0, 0], [each.stderr for each in done]
    assert [users(direct, space) for space in SPACES] == [[(space, 20_000)] for space in SPACES]


def test_every_command_works_through_it(pooled: str, direct: str, tmp_path: Path) -> None:
    file = rows_of(tmp_path, "s1", 200)
    with serving() as server:
        service = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "any"}
        for args in (
            ["--schema", "s3", "migrate", "--model", f"openai:{MODEL}"],
            ["--schema", "s1", "migrate"],
            ["--schema", "s1", "load", str(file), "--no-distill"],
            ["--schema", "s2", "embed"],
            ["--schema", "s1", "search", "place 7", "-k", "3"],
            ["--schema", "s1", "index"],
            ["--schema", "s1", "refresh"],
            ["--schema", "s1", "segment", "groups", "--k", "2"],
            ["--schema", "s1", "status"],
        ):
            done = command(pooled, *args, **service)
            assert done.returncode == 0, f"{args}: {done.stderr}"
        checked = command(pooled, "--schema", "s1", "check", **service).stdout
    assert [line for line in checked.splitlines() if line.startswith("FAIL")] == ["FAIL  token table: none yet"]
    with connect(direct, "s1") as connection:
        found = connection.execute("select entries_embedded, users_with_vector, stale from status").fetchone()
    assert found == (20, 200, False)


def test_embedding_by_several_processes(pooled: str, direct: str, tmp_path: Path) -> None:
    """Each of them executes the same statements many times: prepared ones would meet in one session."""
    file = tmp_path / "rows.csv"
    file.write_text("user_id,entry\n" + "".join(f"ann,place {n}\n" for n in range(600)))
    assert command(pooled, "--schema", "s1", "load", str(file), "--no-embed").returncode == 0
    with serving() as server:
        service = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "any"}
        done: list[subprocess.CompletedProcess[str]] = []
        embed = lambda: done.append(command(pooled, "--schema", "s1", "embed", **service))  # noqa: E731
        threads = [threading.Thread(target=embed) for _ in range(2)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert [each.returncode for each in done] == [0, 0], [each.stderr for each in done]
    with connect(direct, "s1") as connection:
        assert connection.execute("select count(*) from entry_vectors").fetchone() == (600,)


def test_nothing_stays_in_the_session(pooled: str, direct: str) -> None:
    with connect_as_command(pooled) as connection:
        open_space(connection, "s1")
        connection.execute("select count(*) from users")
        take_turn(connection)
        connection.commit()
        with connect_as_command(direct) as other:
            open_space(other, "s1")
            assert not others_turn(other)
    with psycopg.connect(pooled) as stranger:
        assert stranger.execute("show search_path").fetchone() == ('"$user", public',)
        held = "select count(*) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database" \
            " where datname = current_database())"  # fmt: skip
        assert stranger.execute(held).fetchone() == (0,)
        assert stranger.execute("select count(*) from pg_prepared_statements").fetchone() == (0,)


def test_a_space_that_goes_away_stops_its_commands(direct: str) -> None:
    """Its names would be looked up in the next schema of search_path."""
    with connect_as_command(direct) as connection:
        open_space(connection, "s1")
        with psycopg.connect(direct) as owner:
            owner.execute("alter schema s1 rename to another")
            owner.execute("create table public.users (user_id text)")
        with pytest.raises(PgaudienceError, match="the space 's1' is gone"):
            connection.execute("insert into users (user_id) values ('ann')")
        with pytest.raises(PgaudienceError, match="the space 's1' is gone"), connection.transaction():
            pass
        connection.schema = None
        assert connection.execute("select count(*) from public.users").fetchone() == (0,)


def test_a_worker_needs_a_direct_connection(pooled: str) -> None:
    with pytest.raises(PgaudienceError, match="a worker needs a direct connection") as caught:
        Worker(pooled, ["s1"], poll=1, base_url=None).run()
    assert "the address of the server itself" in str(caught.value.hint)


def test_psql_opens_and_says_what_it_cannot_set(pooled: str) -> None:
    done = command(pooled, "--schema", "s1", "psql", "-At", "-c", "select count(*) from s1.users")
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr
    assert "name the schema, as in s1.search_users(…)" in done.stderr
    assert "set local search_path = s1, public, pg_temp;" in done.stderr
