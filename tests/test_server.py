"""The embedded server, always a real one: PostgreSQL 16 and 18, run by root and by an ordinary user."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from pgaudience.errors import PgaudienceError
from pgaudience.server import EmbeddedServer, binary, default_home
from pgaudience.server.settings import memory_bytes, server_settings

pytestmark = pytest.mark.slow

MAJORS = [16, 18]
ROOT = os.geteuid() == 0
NOBODY = 65534

as_root = pytest.mark.skipif(not ROOT, reason="needs root, to run servers under another account")


def scratch() -> str:
    """Where homes go: memory if there is room, since initdb and recovery wait for nothing but the disk."""
    memory = Path("/dev/shm")
    if not memory.exists():
        return "/tmp"
    status = os.statvfs(memory)
    roomy = status.f_bavail * status.f_frsize > 2 * 2**30
    return str(memory) if roomy and not status.f_flag & os.ST_NOEXEC else "/tmp"


@contextmanager
def reachable_folder() -> Iterator[Path]:
    """A folder with a short path that every account can pass through (pytest's tmp_path is neither)."""
    folder = Path(tempfile.mkdtemp(prefix="pga", dir=scratch()))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        for pid_file in folder.glob("**/postmaster.pid"):
            kill(int(pid_file.read_text().split()[0]), signal.SIGQUIT)
        shutil.rmtree(folder)


@pytest.fixture
def folder() -> Iterator[Path]:
    with reachable_folder() as made:
        yield made


@pytest.fixture(params=MAJORS)
def server(folder: Path, request: pytest.FixtureRequest) -> Iterator[EmbeddedServer]:
    """A server not yet started, in a home not yet made."""
    made = EmbeddedServer(folder / "home", request.param)
    yield made
    made.stop()


@pytest.fixture(scope="module", params=MAJORS)
def running(request: pytest.FixtureRequest) -> Iterator[EmbeddedServer]:
    """One server for the tests that only look at it."""
    with reachable_folder() as folder:
        made = EmbeddedServer(folder / "home", request.param)
        made.start()
        yield made
        made.stop()


def ask(url: str | None, query: str) -> object:
    assert url is not None
    with psycopg.connect(url, autocommit=True) as connection:
        result = connection.execute(query.encode())
        return result.fetchone()[0] if result.description else None  # type: ignore[index]


def postmaster(server: EmbeddedServer) -> int:
    return int((server.home / f"data-{server.major}" / "postmaster.pid").read_text().split()[0])


def kill(pid: int, number: signal.Signals) -> None:
    """Kill and wait; the first process of a container may let the dead lie around as zombies."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        process.send_signal(number)
        wait_until(lambda: process.status() == psutil.STATUS_ZOMBIE)


def processes(server: EmbeddedServer) -> list[int]:
    """The postmasters of a home."""
    return [
        process.pid
        for process in psutil.process_iter(["cmdline", "cwd", "ppid"])
        if process.info["cwd"] == str(server.home / f"data-{server.major}")
        and Path(process.info["cmdline"][0]).name == "postgres"
    ]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def python(code: str, home: Path, major: int = 18, uid: int | None = None, **options: Any) -> subprocess.Popen[str]:
    """A Python of its own; it turns into the other user after its imports, whose folder that user may not see."""
    demote = "" if uid is None else f"os.setgroups([]); os.setgid({uid}); os.setuid({uid})"
    program = f"""
import os, subprocess, sys
from pathlib import Path
from pgaudience.errors import PgaudienceError
from pgaudience.server import EmbeddedServer, binary, default_home
{demote}
server = EmbeddedServer(Path({str(home)!r}), {major})
{code}
"""
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", program], stdout=pipe, stderr=pipe, text=True, **options)


def finished(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out.strip()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


# What a started server is.


def test_the_right_version_with_pgvector_and_a_superuser(running: EmbeddedServer) -> None:
    assert int(str(ask(running.url(), "show server_version_num"))) // 10000 == running.major
    assert ask(running.url(), "select current_database() || ' ' || current_user") == "pgaudience pgaudience"
    assert ask(running.url(), "select usesuper from pg_user where usename = current_user") is True
    ask(running.url(), "create extension if not exists vector")
    assert ask(running.url(), "select '[1,2]'::vector <=> '[1,2]'") == 0


def test_text_is_utf8_sorted_by_bytes_with_unicode_letters(running: EmbeddedServer) -> None:
    assert ask(running.url(), "show server_encoding") == "UTF8"
    assert ask(running.url(), "select array_agg(x order by x) from unnest(array['b', 'É', 'a', 'Z']) x") == list("ZabÉ")
    assert ask(running.url(), "select lower('ÉŻ')") == "éż"
    assert ask(running.url(), "select to_tsvector('simple', 'Ski—Été') @@ 'été'::tsquery") is True
    provider = "b" if running.major >= 17 else "c"
    query = "select datlocprovider::text from pg_database where datname = 'pgaudience'"
    assert ask(running.url(), query) == provider


def test_settings_are_the_machines(running: EmbeddedServer) -> None:
    def setting(name: str) -> int:
        return int(str(ask(running.url(), f"select pg_size_bytes(current_setting('{name}'))")))

    assert setting("shared_buffers") > 128 * 2**20 or memory_bytes() < 2**29
    assert abs(setting("shared_buffers") - min(memory_bytes() // 4, 8 * 2**30)) < 2**20
    assert setting("work_mem") >= 32 * 2**20
    assert setting("maintenance_work_mem") >= 64 * 2**20
    assert ask(running.url(), "show jit") == "off"
    assert ask(running.url(), "show data_checksums") == "on"


def test_settings_follow_memory_and_cores() -> None:
    large, small = server_settings(24 * 2**30, 8), server_settings(2**30, 1)
    assert large["shared_buffers"] == f"{6 * 2**20}kB"
    assert int(large["work_mem"].removesuffix("kB")) * 2 >= 150 * 1024
    assert large["maintenance_work_mem"] == f"{24 * 2**20 // 16}kB"
    assert large["max_parallel_maintenance_workers"] == "7"
    assert small["shared_buffers"] == f"{2**18}kB"
    assert small["work_mem"] == f"{32 * 2**10}kB"
    assert server_settings(2**40, 64)["shared_buffers"] == f"{8 * 2**20}kB"


def test_a_parallel_index_build_fits_shared_memory(running: EmbeddedServer) -> None:
    ask(running.url(), "create extension if not exists vector")
    ask(running.url(), "create table v as select array[i, 1]::vector(2) as e from generate_series(1, 2000) i")
    ask(running.url(), "alter table v set (parallel_workers = 1)")
    ask(running.url(), "create index on v using hnsw (e vector_cosine_ops)")
    ask(running.url(), "drop table v")


def test_passwords_are_asked_for_and_kept_private(running: EmbeddedServer) -> None:
    password = running.home / "password"
    assert stat.S_IMODE(password.stat().st_mode) == 0o600
    assert password.stat().st_uid == os.geteuid()
    secret = password.read_text()
    assert len(secret) >= 32
    assert secret in running.url()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(running.url().replace(secret, "wrong"))
    rules = ask(running.url(), "select string_agg(distinct auth_method, ',') from pg_hba_file_rules")
    assert rules == "scram-sha-256"


def test_only_the_unix_socket_unless_a_port_is_chosen(running: EmbeddedServer) -> None:
    assert running.tcp_url() is None
    assert ask(running.url(), "show listen_addresses") == ""
    assert not [c for c in psutil.Process(postmaster(running)).net_connections("inet") if c.status == "LISTEN"]
    sockets = Path(str(ask(running.url(), "show unix_socket_directories")).strip('"'))
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700


def test_folders_are_private_and_files_of_the_right_account(running: EmbeddedServer) -> None:
    data = running.home / f"data-{running.major}"
    owner = pwd.getpwnam("pgaudience").pw_uid if ROOT else os.geteuid()
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert data.stat().st_uid == owner
    assert psutil.Process(postmaster(running)).uids() == (owner, owner, owner)
    assert stat.S_IMODE((running.home / f"server-{running.major}.log").stat().st_mode) == 0o600
    assert stat.S_IMODE(running.home.stat().st_mode) == (0o755 if ROOT else 0o700)
    if ROOT:
        assert psutil.Process(postmaster(running)).gids()[0] == pwd.getpwnam("pgaudience").pw_gid
        groups = Path(f"/proc/{postmaster(running)}/status").read_text().split("Groups:")[1].split("\n")[0]
        assert groups.split() == []


def test_psql_takes_the_url(running: EmbeddedServer) -> None:
    psql = binary("psql", running.major)
    output = subprocess.run([psql, running.url(), "-Atc", "select 6 * 7"], capture_output=True, text=True, check=True)
    assert output.stdout.strip() == "42"
    version = subprocess.run([binary("pg_dump", running.major), "--version"], capture_output=True, text=True).stdout
    assert f" {running.major}." in version


def test_starting_again_is_quick_and_changes_nothing(running: EmbeddedServer) -> None:
    pid = postmaster(running)
    began = time.monotonic()
    for _ in range(5):
        running.start()
    assert time.monotonic() - began < 2
    assert postmaster(running) == pid


def test_libpq_variables_mislead_nobody(running: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = {"PGSERVICE": "none", "PGHOSTADDR": "192.0.2.1", "PGOPTIONS": "-c nonsense=1", "PGPASSWORD": "wrong"}
    for name, value in noise.items():
        monkeypatch.setenv(name, value)
    assert running.is_running()
    assert {name: os.environ[name] for name in noise} == noise


# Its life.


def test_first_start_under_a_misleading_environment(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = {
        "PGDATA": "/nonexistent",
        "PGHOST": "192.0.2.1",
        "PGPORT": "1",
        "PGUSER": "someone",
        "PGDATABASE": "other",
        "PGOPTIONS": "-c nonsense=1",
        "PGPASSFILE": "/nonexistent",
        "PGSERVICE": "none",
        "LC_ALL": "tlh_KX",
    }
    with monkeypatch.context() as noisy:
        for name, value in noise.items():
            noisy.setenv(name, value)
        server.start()
        assert server.is_running()
    assert ask(server.url(), "select current_database()") == "pgaudience"
    assert not Path("/nonexistent").exists()


def test_stop_is_idempotent_and_data_outlive_it(server: EmbeddedServer) -> None:
    assert not server.is_running()
    server.stop()
    assert not server.home.exists()
    with pytest.raises(PgaudienceError, match="no embedded server was started"):
        server.url()

    server.start()
    ask(server.url(), "create table kept as select 1 as x")
    idle = psycopg.connect(server.url())
    server.stop()
    idle.close()
    assert not server.is_running()
    assert processes(server) == []
    server.stop()
    server.start()
    assert ask(server.url(), "select x from kept") == 1


def test_it_outlives_the_process_and_its_terminal(server: EmbeddedServer) -> None:
    # communicate() returns only when nobody holds the pipes any more, so it also shows that the server does not.
    child = python("server.start()", server.home, major=server.major, start_new_session=True)
    finished(child)
    assert server.is_running()
    assert os.getsid(postmaster(server)) not in (child.pid, os.getsid(0))


def test_ctrl_c_in_the_terminal_spares_it(server: EmbeddedServer) -> None:
    child = python(
        "server.start(); print('up', flush=True); sys.stdin.read()",
        server.home,
        major=server.major,
        start_new_session=True,
        stdin=subprocess.PIPE,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "up\n"
    os.killpg(child.pid, signal.SIGINT)
    child.communicate(timeout=20)
    assert server.is_running()


def test_two_processes_starting_at_once_share_one_server(server: EmbeddedServer) -> None:
    code = "server.start(); print(server.url(), server.is_running())"
    children = [python(code, server.home, major=server.major) for _ in range(3)]
    answers = {finished(child) for child in children}
    assert answers == {f"{server.url()} True"}
    children_of = [pid for pid in processes(server) if psutil.Process(pid).ppid() not in processes(server)]
    assert children_of == [postmaster(server)]


def test_a_killed_server_recovers(server: EmbeddedServer) -> None:
    server.start()
    ask(server.url(), "create table kept as select 1 as x")
    kill(postmaster(server), signal.SIGKILL)
    assert not server.is_running()
    server.start()
    assert ask(server.url(), "select x from kept") == 1


def test_a_stale_pid_file_naming_a_live_process(server: EmbeddedServer) -> None:
    server.start()
    ask(server.url(), "create table kept as select 1 as x")
    pid_file = server.home / f"data-{server.major}" / "postmaster.pid"
    owner = pid_file.stat()
    demoted = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if ROOT else {}
    bystander = subprocess.Popen(["sleep", "600"], start_new_session=True, **demoted)
    try:
        killed = postmaster(server)
        content = pid_file.read_text()
        kill(killed, signal.SIGKILL)
        wait_until(lambda: processes(server) == [])
        pid_file.write_text(content.replace(str(killed), str(bystander.pid), 1))
        lock = next((server.home / f"run-{server.major}").glob("*.lock"))
        lock.write_text(lock.read_text().replace(str(killed), str(bystander.pid), 1))

        server.stop()
        assert bystander.poll() is None
        assert not server.is_running()
        server.start()
        assert bystander.poll() is None
        assert ask(server.url(), "select x from kept") == 1
        assert postmaster(server) != bystander.pid
    finally:
        bystander.kill()
        bystander.wait()


def test_an_initdb_cut_short_harms_nothing(server: EmbeddedServer) -> None:
    child = python("server.start()", server.home, major=server.major, start_new_session=True)
    partial = server.home / f"data-{server.major}.new" / "global"
    wait_until(partial.exists)
    # Only Python dies: the orphaned initdb goes on, and the next start has to wait for it.
    child.kill()
    child.communicate()
    assert not (server.home / f"data-{server.major}").exists()
    server.start()
    assert ask(server.url(), "select 1") == 1
    assert not partial.parent.exists()
    assert sorted(path.name for path in server.home.glob("data-*")) == [f"data-{server.major}"]


def test_a_dropped_database_comes_back(server: EmbeddedServer) -> None:
    server.start()
    ask(server.url().replace("/pgaudience?", "/postgres?"), "drop database pgaudience")
    server.start()
    assert ask(server.url(), "select current_database()") == "pgaudience"


def test_both_versions_side_by_side(folder: Path) -> None:
    servers = [EmbeddedServer(folder / "home", major) for major in MAJORS]
    try:
        for server in servers:
            server.start()
        versions = [int(str(ask(server.url(), "show server_version_num"))) // 10000 for server in servers]
        assert versions == MAJORS
    finally:
        for server in servers:
            server.stop()


# TCP.


def test_a_port_is_kept_listens_on_loopback_and_can_go(server: EmbeddedServer) -> None:
    server.start()
    ask(server.url(), "create table kept as select 1 as x")
    port = free_port()
    server.start(port=port)
    assert f"@localhost:{port}/" in str(server.tcp_url())
    assert ask(server.tcp_url(), "select x from kept") == 1
    assert ask(server.url(), "select x from kept") == 1
    secret = (server.home / "password").read_text()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(str(server.tcp_url()).replace(secret, "wrong"))
    listening = [c for c in psutil.Process(postmaster(server)).net_connections("inet") if c.status == "LISTEN"]
    assert {c.laddr.ip for c in listening} <= {"127.0.0.1", "::1"}
    assert {c.laddr.port for c in listening} == {port}

    pid = postmaster(server)
    server.start(port=port)
    server.start()
    assert postmaster(server) == pid
    server.stop()
    EmbeddedServer(server.home, server.major).start()
    assert ask(server.tcp_url(), "select x from kept") == 1

    server.start(port=0)
    assert server.tcp_url() is None
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    assert ask(server.url(), "select x from kept") == 1


def test_a_taken_or_impossible_port_is_refused_and_the_server_goes_on(server: EmbeddedServer) -> None:
    server.start()
    pid = postmaster(server)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(PgaudienceError, match="taken by another program"):
            server.start(port=other.getsockname()[1])
    for port in (80, -1, 65536):
        with pytest.raises(PgaudienceError, match="no port the server can have"):
            server.start(port=port)
    assert server.tcp_url() is None
    assert postmaster(server) == pid


# Homes and errors.


@pytest.mark.parametrize("name", ["h" * 100, "two, parts", 'it\'s $HOME "x" `y` \\z', "été"])
def test_homes_with_any_name(folder: Path, name: str) -> None:
    server = EmbeddedServer(folder / name)
    try:
        server.start()
        assert server.is_running()
        psql = [binary("psql"), server.url(), "-Atc", "show data_directory"]
        output = subprocess.run(psql, capture_output=True, text=True, check=True).stdout
        assert output.strip() == str(folder / name / "data-18")
        sockets = Path(str(ask(server.url(), "show unix_socket_directories")).strip('"'))
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        assert sockets.stat().st_uid == (folder / name / "data-18").stat().st_uid
    finally:
        server.stop()
    if sockets.parent == Path("/tmp"):
        sockets.rmdir()


@as_root
def test_a_squatted_socket_folder_is_not_used(folder: Path) -> None:
    server = EmbeddedServer(folder / ("h" * 100))
    server.start()
    sockets = Path(str(ask(server.url(), "show unix_socket_directories")).strip('"'))
    server.stop()
    assert sockets.parent == Path("/tmp")
    shutil.rmtree(sockets)
    sockets.mkdir(mode=0o700)
    os.chown(sockets, NOBODY, NOBODY)
    try:
        assert not server.is_running()
        with pytest.raises(PgaudienceError, match="belongs to somebody else"):
            server.start()
    finally:
        shutil.rmtree(sockets)


def test_a_server_that_cannot_start_shows_its_log(server: EmbeddedServer) -> None:
    server.start()
    server.stop()
    with (server.home / f"data-{server.major}" / "postgresql.conf").open("a") as configuration:
        configuration.write("\nno_such_setting = 1\n")
    with pytest.raises(PgaudienceError, match="no_such_setting") as raised:
        server.start()
    assert f"server-{server.major}.log" in str(raised.value.hint)
    assert not server.is_running()


def test_unknown_versions_and_programs() -> None:
    with pytest.raises(PgaudienceError, match="no embedded PostgreSQL 12"):
        binary("psql", 12)
    with pytest.raises(PgaudienceError, match="no program 'nosuch'"):
        binary("nosuch")


def test_a_missing_wheel_says_what_to_install(folder: Path) -> None:
    code = """
sys.path[:] = [p for p in sys.path if "site-packages" not in p]
sys.path_importer_cache.clear()
try:
    binary("psql")
except PgaudienceError as error:
    print(error.message, "|", error.hint)
"""
    said = finished(python(code, folder / "home"))
    assert "not installed" in said
    assert 'pip install "pgaudience[embedded]"' in said
    assert "--database" in said


def test_everyones_folder_is_no_home(folder: Path) -> None:
    home = folder / "open"
    home.mkdir()
    home.chmod(0o777)
    with pytest.raises(PgaudienceError, match="written by everyone"):
        EmbeddedServer(home).start()
    assert stat.S_IMODE(home.stat().st_mode) == 0o777


def test_default_home(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("PGAUDIENCE_HOME", str(folder / "chosen"))
    assert default_home() == folder / "chosen"
    monkeypatch.delenv("PGAUDIENCE_HOME")
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / "share"))
    if ROOT:
        assert default_home() == Path("/var/lib/pgaudience")
    else:
        assert default_home().is_relative_to(folder)


# Accounts.


@as_root
@pytest.mark.parametrize("major", MAJORS)
def test_an_ordinary_user_keeps_everything_private_in_the_data_folder(folder: Path, major: int) -> None:
    own = folder / "nobody"
    own.mkdir(mode=0o700)
    os.chown(own, NOBODY, NOBODY)
    code = """
server = EmbeddedServer(default_home(), server.major)
server.start()
psql = [binary("psql", server.major), server.url(), "-Atc", "select 6 * 7"]
print(server.home, subprocess.run(psql, capture_output=True, text=True, check=True).stdout.strip(), sep="|")
"""
    environment = {"HOME": str(own), "PATH": os.defpath}
    said, answer = finished(python(code, own, major, NOBODY, env=environment, cwd="/")).split("|")
    home = Path(said)
    try:
        assert answer == "42"
        assert home == own / ".local/share/pgaudience"
        everything = [home, *home.rglob("*")]
        assert [path for path in everything if not path.is_socket() and path.stat().st_mode & 0o077] == []
        assert {path.stat().st_uid for path in everything} == {NOBODY}
        assert psutil.Process(postmaster(EmbeddedServer(home, major))).uids().real == NOBODY
        with pytest.raises(PgaudienceError, match="belongs to another user"):
            EmbeddedServer(home, major).stop()
    finally:
        finished(python("server.stop()", home, major, NOBODY, env=environment, cwd="/"))


@as_root
def test_the_home_of_root_is_closed_to_others(folder: Path) -> None:
    server = EmbeddedServer(folder / "home")
    server.start()
    try:
        code = """
for attempt in (server.start, server.stop, server.is_running, server.url):
    try:
        attempt()
    except PgaudienceError as error:
        print(error.message)
"""
        said = finished(python(code, server.home, uid=NOBODY, cwd="/")).splitlines()
        assert len(said) == 4
        assert server.is_running()
    finally:
        server.stop()


@as_root
def test_an_unreachable_parent_is_named_and_left_alone(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(PgaudienceError, match=f"cannot pass through {closed}") as raised:
        EmbeddedServer(closed / "home").start()
    assert "PGAUDIENCE_HOME" in str(raised.value.hint)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert list(closed.iterdir()) == []


@as_root
def test_no_folder_on_the_way_is_changed(folder: Path) -> None:
    for name in ("a", "a/b"):
        (folder / name).mkdir()
        (folder / name).chmod(0o711)
    server = EmbeddedServer(folder / "a/b/home")
    try:
        server.start()
        assert [stat.S_IMODE((folder / name).stat().st_mode) for name in ("a", "a/b")] == [0o711, 0o711]
        assert {(folder / name).stat().st_uid for name in ("a", "a/b")} == {0}
    finally:
        server.stop()


@as_root
@pytest.mark.parametrize("major", MAJORS)
def test_binaries_out_of_reach_are_copied_once(folder: Path, major: int) -> None:
    venv = folder / "venv"
    venv.mkdir(mode=0o700)
    package = binary("psql", major).parents[2]
    shutil.copytree(package, venv / package.name)
    shutil.copytree(package.with_name(f"{package.name}.libs"), venv / f"{package.name}.libs")
    home = folder / "home"
    environment = {**os.environ, "PYTHONPATH": str(venv)}
    code = "server.start(); print(binary('psql', server.major), server.url())"
    try:
        psql, url = finished(python(code, home, major=major, env=environment)).split()
        assert psql.startswith(str(venv))
        output = subprocess.run([psql, url, "-Atc", "select 6 * 7"], capture_output=True, text=True, check=True)
        assert output.stdout.strip() == "42"
        trees = list(home.glob(f"postgresql-{major}-*"))
        assert len(trees) == 1
        made = trees[0].stat()
        assert psutil.Process(postmaster(EmbeddedServer(home, major))).exe().startswith(str(trees[0]))
        finished(python("server.stop(); server.start()", home, major=major, env=environment))
        assert list(home.glob("postgresql-*")) == trees
        assert trees[0].stat().st_ino == made.st_ino
        ask(url, "create extension vector")
    finally:
        finished(python("server.stop()", home, major=major, env=environment))
    assert stat.S_IMODE(venv.stat().st_mode) == 0o700


@as_root
def test_a_volume_keeps_its_owner(folder: Path) -> None:
    """The system user of a new container has another number than the one the data were made with."""
    server = EmbeddedServer(folder / "home")
    server.start()
    ask(server.url(), "create table kept as select 1 as x")
    server.stop()
    stranger = 54321
    for path in [server.home / "data-18", *(server.home / "data-18").rglob("*"), server.home / "server-18.log"]:
        os.chown(path, stranger, stranger)
    try:
        server.start()
        assert ask(server.url(), "select x from kept") == 1
        assert psutil.Process(postmaster(server)).uids().real == stranger
    finally:
        server.stop()
