"""Start, stop and reach the embedded server."""

from __future__ import annotations

import os
import shlex
import socket
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from pgaudience.errors import PgaudienceError
from pgaudience.server.accounts import Account, server_account
from pgaudience.server.binaries import runnable_binaries
from pgaudience.server.cluster import create_cluster, prepare_home, renew_socket_folder
from pgaudience.server.connection import answers, create_database
from pgaudience.server.layout import DATABASE, USER, Layout
from pgaudience.server.locks import locked, try_lock
from pgaudience.server.settings import memory_bytes, server_settings

# Crash recovery and the checkpoint of a fast stop may take minutes; orphans of a killed server end in seconds.
_PATIENCE_SECONDS = 600
_ORPHANS_SECONDS = 30


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """The PostgreSQL server of a home folder, one for each major version (16 or 18).

    It listens on a unix socket only its owner reaches, and on localhost when given a port. It outlives the process
    that starts it. Every method may be called by any number of processes at once.
    """

    home: Path
    major: int = 18

    def start(self, port: int | None = None) -> None:
        """Return when the server takes connections: at once when it runs, after initdb the first time.

        A port (1024 to 65535) makes it listen on localhost too, from now on and in later starts, 0 ends that; a
        server running with another choice is restarted.

        Raises PgaudienceError when the server cannot run, with the end of its log.
        """
        _check_port(port)
        layout = self._layout
        if self._runs_with(port):
            return
        with _expected_errors(layout.home):
            account = server_account(layout.data)
            prepare_home(layout.home, account)
            with locked(layout.control_lock):
                self._choose_port(port, account)
                self._launch(account)
                create_database(layout)

    def stop(self) -> None:
        """Stop the server; sessions are ended, their open transactions rolled back. Nothing to do when it is down.

        Raises PgaudienceError when processes of the server live on.
        """
        layout = self._layout
        with _expected_errors(layout.home):
            if not layout.data.exists():
                return
            account = server_account(layout.data)
            prepare_home(layout.home, account)
            with locked(layout.control_lock):
                self._shut_down(account)

    def is_running(self) -> bool:
        """Whether a connection succeeds."""
        with _expected_errors(self._layout.home):
            return answers(self._layout, DATABASE)

    def url(self) -> str:
        """Address of the database over the unix socket, with the password, for libpq's programs and drivers.

        Raises PgaudienceError when the server was never started.
        """
        layout = self._layout
        with _expected_errors(layout.home):
            folder = quote(os.fsencode(layout.sockets), safe="")
            port = layout.socket_port
            return f"postgresql://{USER}:{layout.password}@/{DATABASE}?host={folder}&port={port}"

    def tcp_url(self) -> str | None:
        """Address of the database on localhost, with the password, or None when no port was chosen."""
        layout = self._layout
        with _expected_errors(layout.home):
            if layout.port is None:
                return None
            return f"postgresql://{USER}:{layout.password}@localhost:{layout.port}/{DATABASE}"

    @property
    def _layout(self) -> Layout:
        return Layout(self.home.expanduser().resolve(), self.major)

    def _runs_with(self, port: int | None) -> bool:
        with _expected_errors(self._layout.home):
            return (port is None or port == (self._layout.port or 0)) and answers(self._layout, DATABASE)

    def _choose_port(self, port: int | None, account: Account) -> None:
        layout = self._layout
        if port is None or port == (layout.port or 0):
            return
        if port:
            _check_free(port)
        # The file names the running server's port, so it changes while there is none.
        self._shut_down(account)
        layout.write_port(port or None)

    def _launch(self, account: Account) -> None:
        lock = self._wait_for_server_or_lock()
        if lock is None:
            return
        layout = self._layout
        try:
            programs = runnable_binaries(self.major, account, layout.home)
            create_cluster(layout, account, programs, lock)
            # The lock is ours, so no server lives, whatever live process the number in a stale file now names.
            (layout.data / "postmaster.pid").unlink(missing_ok=True)
            renew_socket_folder(layout, account)
            if layout.port:
                _check_free(layout.port)
            self._run_postgres(account, programs, lock)
        finally:
            os.close(lock)

    def _run_postgres(self, account: Account, programs: Path, lock: int) -> None:
        layout = self._layout
        layout.log.touch(mode=0o600)
        account.own(layout.log)
        already_logged = layout.log.stat().st_size
        settings = server_settings(memory_bytes(), os.cpu_count() or 1) | {
            "listen_addresses": "localhost" if layout.port else "",
            "port": str(layout.socket_port),
            "unix_socket_directories": f'"{layout.sockets}"',
        }
        options = " ".join(shlex.quote(f"--{name}={value}") for name, value in settings.items())
        # Relative to the home, since pg_ctl hands these paths to a shell.
        files = [f"--pgdata={layout.data.name}", f"--log={layout.log.name}"]
        command = [programs / "pg_ctl", "start", "--wait", f"--timeout={_PATIENCE_SECONDS}", f"--options={options}"]
        result = account.run([*command, *files], cwd=layout.home, lock=lock)
        if result.returncode != 0:
            tail = _tail(layout.log, already_logged) or result.stderr.strip()
            raise PgaudienceError(f"PostgreSQL {self.major} did not start:\n{tail}", f"the whole log: {layout.log}")

    def _wait_for_server_or_lock(self) -> int | None:
        """None once the server answers, else the lock that says that none of its processes lives."""
        layout = self._layout
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if answers(layout, "postgres"):
                return None
            if (lock := try_lock(layout.process_lock)) is not None:
                return lock
            time.sleep(0.2)
        raise PgaudienceError(f"PostgreSQL {self.major} runs but takes no connections", f"see its log: {layout.log}")

    def _shut_down(self, account: Account) -> None:
        layout = self._layout
        lock = try_lock(layout.process_lock)
        if lock is None:
            programs = runnable_binaries(self.major, account, layout.home)
            command = [programs / "pg_ctl", "stop", "--mode=fast", "--wait", f"--timeout={_PATIENCE_SECONDS}"]
            account.run([*command, f"--pgdata={layout.data.name}"], cwd=layout.home)
            deadline = time.monotonic() + _ORPHANS_SECONDS
            while (lock := try_lock(layout.process_lock)) is None:
                if time.monotonic() > deadline:
                    raise PgaudienceError(f"PostgreSQL {self.major} did not stop", f"see its log: {layout.log}")
                time.sleep(0.05)
        os.close(lock)


def _check_port(port: int | None) -> None:
    if port and not 1024 <= port <= 65535:
        raise PgaudienceError(f"{port} is no port the server can have", "choose one from 1024 to 65535, or 0 for none")


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise PgaudienceError(
                f"port {port} is taken by another program", "choose another: pgaudience start --port N (0: no TCP)"
            ) from None


def _tail(log: Path, start: int, lines: int = 15) -> str:
    with log.open("rb") as file:
        file.seek(start)
        return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])


@contextmanager
def _expected_errors(home: Path) -> Generator[None]:
    """Tell a full disk or a folder without access in one line."""
    try:
        yield
    except OSError as error:
        hint = "set PGAUDIENCE_HOME to a folder of your own, or name a server with --database"
        raise PgaudienceError(f"the embedded server cannot use {home}: {error}", hint) from error
