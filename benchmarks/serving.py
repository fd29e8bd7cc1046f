"""A server for one benchmark: the embedded one, as the product sets it up, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from pgaudience.database import connect, open_space
from pgaudience.embedding.registry import DEFAULT_MODEL
from pgaudience.installing import migrate
from pgaudience.server import EmbeddedServer

Connection = psycopg.Connection[tuple[Any, ...]]

SCHEMA = "audience"
DIMENSIONS = 384


@dataclass(frozen=True, slots=True)
class Server:
    """A running server with one empty space, and a folder for files beside it."""

    url: str
    folder: Path

    def cpu_clock(self) -> Callable[[], float] | None:
        """Return what counts the CPU of this server, this process and what it has run; None where no system tells."""
        if not Path("/proc/self/stat").exists():
            return None
        with self.connect() as connection:
            postmaster = _parent(connection.info.backend_pid)

        def seconds() -> float:
            return _of_server(postmaster) + sum(os.times()[:4])

        return seconds

    def connect(self) -> Connection:
        """Connect to the space, as the command line does."""
        connection = connect(self.url)
        open_space(connection, SCHEMA)
        return connection


@contextmanager
def serving(dimensions: int = DIMENSIONS) -> Iterator[Server]:
    """Run a server for the time of a block; nothing of it stays."""
    folder = Path(tempfile.mkdtemp(prefix="pgaudience-bench-"))
    folder.chmod(0o755)  # started by root, the server is another user
    embedded = EmbeddedServer(folder / "home")
    try:
        embedded.start()
        url = embedded.url()
        migrate(url, SCHEMA, model=None, weighting=None, measure=lambda _: (DEFAULT_MODEL, dimensions))
        yield Server(url, folder)
    finally:
        embedded.stop()
        shutil.rmtree(folder)


def _of_server(postmaster: int) -> float:
    """Count what its processes use, and have used that are gone: those it has waited for."""
    ticks = _ticks(postmaster, gone=True)
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and _parent(int(folder.name)) == postmaster:
                ticks += _ticks(int(folder.name), gone=False)
        except OSError:  # gone meanwhile
            continue
    return ticks / os.sysconf("SC_CLK_TCK")


def _ticks(pid: int, *, gone: bool) -> int:
    user, system, *waited = (int(field) for field in _stat(pid)[11:15])
    return user + system + (sum(waited) if gone else 0)


def _parent(pid: int) -> int:
    return int(_stat(pid)[1])


def _stat(pid: int) -> list[str]:
    """Return what stands behind the name of a process, see proc_pid_stat(5)."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()


def empty(connection: Connection) -> None:
    """Empty the space, and have the disk written, so that no contender pays for the one before it."""
    connection.execute("truncate users, entries, activity cascade")
    connection.commit()
    settle(connection)


def settle(connection: Connection) -> None:
    """Have everything written to disk that is still to be written."""
    connection.execute("checkpoint")
    connection.commit()
