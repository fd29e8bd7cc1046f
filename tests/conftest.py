"""Real servers for the tests: PostgreSQL 16 and 18, a template database for each kind of space, a clone a test."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from pgaudience.demo import run_demo
from pgaudience.installing import migrate
from pgaudience.server import EmbeddedServer, binary

TESTS = Path(__file__).parent
SHARED = TESTS.parent.parent / "shared"
TOY_MODEL = ("tests:handmade", 3)

# What the examples of comments suppose is known of the bundled people and places.
KNOWN = (
    "update users set attributes = jsonb_build_object("
    "'age', 20 + user_key, 'home', (array['city', 'country'])[1 + user_key % 2])",
    "update entries set attributes = jsonb_build_object('category', substring(entry, 'Ski|Starbucks|Walmart'))",
)

for variable in [name for name in os.environ if name.startswith(("PG", "PGAUDIENCE_"))]:
    if variable not in ("PGAUDIENCE_GOLDEN", "PGAUDIENCE_DOCS"):
        del os.environ[variable]


@dataclass
class Cluster:
    """A running server with template databases, made when first asked for."""

    server: EmbeddedServer
    numbers: Iterator[int] = field(default_factory=itertools.count)
    templates: set[str] = field(default_factory=set)

    @property
    def major(self) -> int:
        return self.server.major

    def url(self, database: str = "postgres", **options: str) -> str:
        url = self.server.url().replace("/pgaudience?", f"/{database}?")
        return make_conninfo(url, **options) if options else url

    def execute(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def clone(self, template: str, fill: Callable[[str], None]) -> str:
        """Return the URL of a fresh copy of a template, which `fill` makes the first time."""
        if template not in self.templates:
            self.execute("create database {}", template)
            fill(self.url(template))
            self.templates.add(template)
        name = f"{template}_{next(self.numbers)}"
        self.execute("create database {} template {}", name, template)
        return self.url(name)


def _start(major: int) -> Iterator[Cluster]:
    home = Path(tempfile.mkdtemp(prefix=f"pgaudience-{major}-", dir="/tmp"))
    home.chmod(0o755)
    server = EmbeddedServer(home, major)
    server.start()
    cluster = Cluster(server)
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        cluster.execute("alter system set {} = off", setting)
    cluster.execute("select pg_reload_conf()")
    yield cluster
    server.stop()
    shutil.rmtree(home)


@pytest.fixture(scope="session")
def cluster18() -> Iterator[Cluster]:
    yield from _start(18)


@pytest.fixture(scope="session")
def cluster16() -> Iterator[Cluster]:
    yield from _start(16)


@pytest.fixture(scope="session", params=[16, 18], ids=["pg16", "pg18"])
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """Both servers, one after the other."""
    return request.getfixturevalue(f"cluster{request.param}")


def run_psql(url: str, *args: str, schema: str = "audience") -> subprocess.CompletedProcess[str]:
    options = f"-c search_path={schema},public,pg_temp"
    return subprocess.run(
        [binary("psql"), "--no-psqlrc", "--dbname", url, *args],
        env={**os.environ, "PGOPTIONS": options},
        cwd=TESTS / "sql",
        capture_output=True,
        text=True,
        timeout=120,
    )


def migrate_toy(url: str, schema: str = "audience", dimensions: int = 3) -> None:
    migrate(url, schema, model=None, weighting=None, measure=lambda _: (TOY_MODEL[0], dimensions))


def _fill_empty(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("create extension vector with schema public")


def _fill_toy(url: str) -> None:
    migrate_toy(url)
    done = run_psql(url, "--set", "ON_ERROR_STOP=1", "--file", "fixture/toy.sql")
    assert done.returncode == 0, done.stderr


@pytest.fixture
def database(cluster: Cluster) -> str:
    """A database with pgvector and nothing else."""
    return cluster.clone("empty", _fill_empty)


@pytest.fixture
def space(cluster: Cluster) -> str:
    """A space `audience` of three dimensions with nothing in it."""
    return cluster.clone("space", migrate_toy)


@pytest.fixture
def places(cluster18: Cluster) -> str:
    """The space that `pgaudience demo --no-distill` leaves behind, with real vectors."""
    return cluster18.clone("places", lambda url: run_demo(url, None, "places", distill=False))


@pytest.fixture
def distilled(cluster18: Cluster) -> str:
    """The space that `pgaudience demo` leaves behind; its token table, in full, takes minutes once a session."""
    return cluster18.clone("distilled", lambda url: run_demo(url, None, "places"))


@pytest.fixture
def segmented(distilled: str) -> str:
    """That space with a segmentation `interests`, and with what is known of its people and places."""
    with connect(distilled) as connection:
        for statement in KNOWN:
            connection.execute(statement.encode())
        connection.execute("call build_segmentation('interests')")
    return distilled


@pytest.fixture
def bare(cluster18: Cluster) -> str:
    """A database with pgvector and nothing else, on PostgreSQL 18."""
    return cluster18.clone("empty", _fill_empty)


@pytest.fixture
def toy(cluster: Cluster) -> str:
    """A space `audience` of hand-made 3-d vectors: see tests/sql/fixture/toy.sql."""
    return cluster.clone("toy", _fill_toy)


def connect(url: str, schema: str = "audience", **options: object) -> psycopg.Connection:
    return psycopg.connect(url, options=f"-c search_path={schema},public,pg_temp", **options)  # type: ignore[arg-type]


def shared(path: str) -> Path:
    """A file of the shared data sets, or a skip that says so."""
    found = SHARED / "data" / path
    if not found.exists():
        pytest.skip(f"needs the shared data set {path}, which is not part of the project")
    return found
