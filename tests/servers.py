"""PostgreSQL 16 and 18 for one run of the tests: started when first asked for, shared by its workers, then removed."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from pgaudience.server import EmbeddedServer
from pgaudience.server.locks import locked, try_lock

MAJORS = (16, 18)

MEMORY = Path("/dev/shm")
ROOM = 4 * 2**30


def scratch() -> Path:
    """Where the server's system user can go too: memory if there is room, since a database is a thousand files."""
    if MEMORY.exists():
        status = os.statvfs(MEMORY)
        if status.f_bavail * status.f_frsize > ROOM and not status.f_flag & os.ST_NOEXEC:
            return MEMORY
    return Path("/tmp")


# What a killed run left behind is found by this name.
FOLDER = scratch()
PREFIX = f"pgaudience-tests-{os.getuid()}-"

# Nothing here needs to survive a crash.
CARELESS = ("fsync", "synchronous_commit", "full_page_writes")


@dataclass
class Home:
    """The folder of a run's servers. Its lock is held as long as the process lives that began the run."""

    path: Path
    lock: int

    @classmethod
    def begin(cls) -> Home:
        with locked(FOLDER / f"{PREFIX}lock"):
            for left in FOLDER.glob(f"{PREFIX}*/"):
                if (lock := try_lock(left / "lock")) is not None:
                    cls(left, lock).remove()
            path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=FOLDER))
            path.chmod(0o755)
            lock = try_lock(path / "lock")
        assert lock is not None
        return cls(path, lock)

    def remove(self) -> None:
        for major in MAJORS:
            EmbeddedServer(self.path, major).stop()
        shutil.rmtree(self.path)
        os.close(self.lock)


@dataclass
class Cluster:
    """A running server with template databases, made when first asked for, whichever worker asks."""

    server: EmbeddedServer
    worker: str = "main"
    numbers: Iterator[int] = field(default_factory=itertools.count)
    clones: list[str] = field(default_factory=list)

    @classmethod
    def start(cls, home: Path, major: int, worker: str) -> Cluster:
        cluster = cls(EmbeddedServer(home, major), worker)
        with locked(home / f"start-{major}.lock"):
            if not cluster.server.is_running():
                cluster.server.start()
                for setting in CARELESS:
                    cluster.execute("alter system set {} = off", setting)
                cluster.execute("select pg_reload_conf()")
        return cluster

    @property
    def major(self) -> int:
        return self.server.major

    def url(self, database: str = "postgres", **options: str) -> str:
        url = self.server.url().replace("/pgaudience?", f"/{database}?")
        return make_conninfo(url, **options) if options else url

    def execute(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def template(self, name: str, fill: Callable[[str], None]) -> str:
        """Return the URL of a database that nobody changes, which `fill` makes the first time."""
        with locked(self.server.home / f"template-{self.major}-{name}.lock"):
            if not self._exists(name):
                unfinished = f"{name}_unfinished"
                self.execute("drop database if exists {} with (force)", unfinished)
                self.execute("create database {}", unfinished)
                fill(self.url(unfinished))
                self.execute("alter database {} rename to {}", unfinished, name)
        return self.url(name)

    def clone(self, template: str, fill: Callable[[str], None]) -> str:
        """Return the URL of a fresh copy of a template, dropped when the test, or the module, that asked is over."""
        self.template(template, fill)
        name = f"{template}_{self.worker}_{next(self.numbers)}"
        self.execute("create database {} template {} strategy file_copy", name, template)
        self.clones.append(name)
        return self.url(name)

    def drop_clones(self, kept: int) -> None:
        """Drop all but the first so many."""
        for name in self.clones[kept:]:
            self.execute("drop database if exists {} with (force)", name)
        del self.clones[kept:]

    def _exists(self, database: str) -> bool:
        with psycopg.connect(self.url()) as connection:
            found = connection.execute("select from pg_database where datname = %s", [database])
            return found.rowcount == 1
