"""Real servers for the tests: PostgreSQL 16 and 18, a template database for each kind of space, a clone a test."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pgaudience import pipeline
from pgaudience.database import SpaceConnection, open_space
from pgaudience.demo import run_demo
from pgaudience.embedding.registry import DEFAULT_MODEL, measure
from pgaudience.embedding.sentence_transformers import folder_of
from pgaudience.encoding import ensure_encoder
from pgaudience.installing import migrate
from pgaudience.server import binary
from pgaudience.server.locks import locked
from remembered import remembering
from servers import Cluster, Home

TESTS = Path(__file__).parent
SHARED = TESTS.parent.parent / "shared"
TOY_MODEL = ("tests:handmade", 3)

# What the examples of comments suppose is known of the bundled people and places.
KNOWN = (
    "update users set attributes = jsonb_build_object("
    "'age', 20 + user_key, 'home', (array['city', 'country'])[1 + user_key % 2])",
    "update entries set attributes = jsonb_build_object('category', substring(entry, 'Ski|Starbucks|Walmart'))",
    "insert into sessions select user_key, '2024-05-31', array_agg(entry_key) from activity group by user_key",
)

AUDIENCES = (
    "call save_audience('skiers', search => 'ski enthusiasts', size => 3)",
    "call save_audience('parents', search => 'parents with children', size => 3)",
    "call open_cursor('skiers', 'crm')",
    "call judge_member('skiers', 'user_ski_only', true)",
)

# What the examples of comments suppose to be there to keep in step with.
SOURCES = (
    "create table public.orders (customer text, product text)",
    "insert into public.orders values ('user_ski_only', 'Ski Aspen Colorado United States'), (null, 'Ski Lech')",
    "call add_source('public.orders', user_column => 'customer', entry_column => 'product', name => 'orders')",
    "create table public.products (id bigint, name text)",
    "insert into public.products values (1, 'Ski Aspen Colorado United States')",
    "call add_source('public.products', entry_key_column => 'id', entry_column => 'name', name => 'products')",
    "call sync()",
)

for variable in [name for name in os.environ if name.startswith(("PG", "PGAUDIENCE_"))]:
    if variable not in ("PGAUDIENCE_GOLDEN", "PGAUDIENCE_DOCS", "PGAUDIENCE_TEST_SUPERSET", "PGAUDIENCE_TEST_CITUS"):
        del os.environ[variable]

# Without the instructions for bfloat16 of some processors, vectors and what is shown of them are the same on all.
os.environ["ONEDNN_MAX_CPU_ISA"] = "AVX512_CORE"


RUN = pytest.StashKey[Home]()
WORKER = "servers"


def pytest_configure(config: pytest.Config) -> None:
    """The process that begins the run owns its servers; workers are told where they are."""
    if not hasattr(config, "workerinput"):
        config.stash[RUN] = Home.begin()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    node.workerinput[WORKER] = str(node.config.stash[RUN].path)  # type: ignore[attr-defined]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The slow tests come first, so that the workers end together; `newest` ones do not ask PostgreSQL 16 too."""
    twice = [item for item in items if item.get_closest_marker("newest") and "[pg16" in item.name]
    config.hook.pytest_deselected(items=twice)
    items[:] = [item for item in items if item not in twice]
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_unconfigure(config: pytest.Config) -> None:
    if home := config.stash.get(RUN, None):
        home.remove()


@pytest.fixture(scope="session")
def vectors_folder(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the vectors of local models are kept from one run to the next."""
    cache = getattr(pytestconfig, "cache", None)  # which is not there under -p no:cacheprovider
    return cache.mkdir("vectors") if cache else tmp_path_factory.mktemp("vectors")


@pytest.fixture(scope="session", autouse=True)
def remembered_vectors(vectors_folder: Path) -> Iterator[None]:
    """In this process, a local model embeds no text that it has embedded before."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "provider_for", remembering(vectors_folder))
        yield


@pytest.fixture(scope="session")
def commands(vectors_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PATH, in which `pgaudience` is the command with remembered vectors."""
    folder = tmp_path_factory.mktemp("commands")
    script = folder / "pgaudience"
    script.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.append({str(TESTS)!r})\n"
        f"from remembered import run\nrun({str(vectors_folder)!r})\n"
    )
    script.chmod(0o755)
    return folder


@pytest.fixture(scope="session")
def clusters() -> dict[int, Cluster]:
    """The servers that this process has asked for, by version."""
    return {}


def _home(config: pytest.Config) -> Path:
    worker = getattr(config, "workerinput", {})
    return Path(worker[WORKER]) if worker else config.stash[RUN].path


def _start(config: pytest.Config, clusters: dict[int, Cluster], major: int) -> Cluster:
    worker = getattr(config, "workerinput", {})
    clusters[major] = Cluster.start(_home(config), major, worker.get("workerid", "main"))
    return clusters[major]


@pytest.fixture(scope="session")
def cluster18(pytestconfig: pytest.Config, clusters: dict[int, Cluster]) -> Cluster:
    return _start(pytestconfig, clusters, 18)


@pytest.fixture(scope="session")
def cluster16(pytestconfig: pytest.Config, clusters: dict[int, Cluster]) -> Cluster:
    return _start(pytestconfig, clusters, 16)


def _drop_what_follows(clusters: dict[int, Cluster]) -> Iterator[None]:
    before = {major: len(cluster.clones) for major, cluster in clusters.items()}
    yield
    for major, cluster in clusters.items():
        cluster.drop_clones(before.get(major, 0))


@pytest.fixture(autouse=True)
def taking_turns(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> Iterator[None]:
    """Roles are those of a server, which the workers share."""
    mark = request.node.get_closest_marker("turns")
    if mark is None:
        yield
        return
    with locked(_home(pytestconfig) / f"turns-{mark.args[0]}.lock"):
        yield


@pytest.fixture(scope="module", autouse=True)
def no_databases_of_a_module_are_left(clusters: dict[int, Cluster]) -> Iterator[None]:
    yield from _drop_what_follows(clusters)


@pytest.fixture(autouse=True)
def no_databases_of_a_test_are_left(clusters: dict[int, Cluster]) -> Iterator[None]:
    yield from _drop_what_follows(clusters)


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
    """The space that `pgaudience demo` leaves behind, with real vectors and the model itself."""
    return cluster18.clone("places", lambda url: run_demo(url, None, "places"))


@pytest.fixture
def segmented(places: str) -> str:
    """That space with a segmentation `interests`, audiences, and what is known of its people and places."""
    with connect(places) as connection:
        for statement in KNOWN:
            connection.execute(statement.encode())
        connection.execute("call build_segmentation('interests')")
        for statement in (*AUDIENCES, *SOURCES):
            connection.execute(statement.encode())
    return places


@pytest.fixture
def bare(cluster18: Cluster) -> str:
    """A database with pgvector and nothing else, on PostgreSQL 18."""
    return cluster18.clone("empty", _fill_empty)


@pytest.fixture
def toy(cluster: Cluster) -> str:
    """A space `audience` of hand-made 3-d vectors: see tests/sql/fixture/toy.sql."""
    return cluster.clone("toy", _fill_toy)


def _fill_encoded(url: str) -> None:
    migrate(url, "audience", model=DEFAULT_MODEL, weighting=None, measure=measure)
    with connect(url) as connection:
        space = open_space(connection, "audience")
        assert ensure_encoder(connection, space, pipeline.space_provider(space, None)) is None


@pytest.fixture
def encoded(cluster: Cluster) -> str:
    """An empty space with the packaged model in it."""
    return cluster.clone("encoded", _fill_encoded)


def connect(url: str, schema: str = "audience", **options: object) -> SpaceConnection:
    return SpaceConnection.connect(url, options=f"-c search_path={schema},public,pg_temp", **options)  # type: ignore[arg-type]


def packaged_folder() -> Path:
    """The folder of the packaged model."""
    folder = folder_of("all-MiniLM-L6-v2")
    assert folder
    return folder


def shared(path: str) -> Path:
    """A file of the shared data sets, or a skip that says so."""
    found = SHARED / "data" / path
    if not found.exists():
        pytest.skip(f"needs the shared data set {path}, which is not part of the project")
    return found
