"""Creating and upgrading spaces: once, twice, two at a time, from one bundle to another."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from catalog import definitions, objects
from conftest import Cluster, run_psql
from pgaudience import resources
from pgaudience.database import Space, connect, open_space, use_schema
from pgaudience.errors import PgaudienceError
from pgaudience.indexing import create_indexes
from pgaudience.installing import Migration, locking, migrate
from pgaudience.installing.objects import drop_installed

pytestmark = pytest.mark.slow

MODEL = "tests:handmade"
UPGRADES = 3
VECTORS = "select user_id, entries, frequency, embedding::text from user_vectors order by user_id"


def run(url: str, schema: str = "audience", *, dimensions: int = 3, model: str | None = None) -> Migration:
    return migrate(
        url, schema, model=model, weighting=None, measure=lambda asked: (asked or MODEL, dimensions)
    )  # fmt: skip


def rows(url: str, query: str, schema: str = "audience") -> list[tuple]:
    with connect(url, autocommit=True) as connection:
        use_schema(connection, schema)
        cursor = connection.execute(query)
        return cursor.fetchall() if cursor.description else []


def settle(url: str, schema: str = "audience", dimensions: int = 3) -> None:
    """Put one skier into a space."""
    vector = [1.0] + [0.0] * (dimensions - 1)
    with connect(url) as connection:
        use_schema(connection, schema)
        connection.execute("insert into entries (entry) values ('ski')")
        connection.execute(
            "insert into entry_vectors (entry_key, embedding) values (1, %s::text::vector)", [str(vector)]
        )
        connection.execute("insert into users (user_id) values ('ann')")
        connection.execute("insert into activity (user_key, entry_key, frequency) values (1, 1, 2)")
        connection.execute("call refresh()")


def found(url: str, schema: str = "audience") -> list[tuple]:
    return rows(url, "select user_id, round(score::numeric, 3) from search_users('ski', mode => 'mean')", schema)


@pytest.fixture
def bare(cluster: Cluster) -> str:
    """A database without pgvector."""
    return cluster.clone("bare", lambda _: None)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another release: the folder of a package whose sql/ and migrations/ a test may change."""
    for name in ("sql", "migrations"):
        shutil.copytree(resources.folder(name), tmp_path / name)
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path)
    return tmp_path


def newest() -> str:
    """The number of the last migration."""
    return max(path.name[:4] for path in (resources.folder("migrations") / "versions").glob("0*.py"))


def edit(package: Path, name: str, *changes: tuple[str, str]) -> None:
    file = package / "sql" / name
    text = file.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)


# A new space


def test_a_new_space(database: str) -> None:
    done = run(database)
    assert (done.created, done.changed, done.for_the_dba) == (True, True, [])
    assert done.space == Space("audience", MODEL, 3)
    settle(database)
    assert found(database) == [("ann", 1)]


def test_pgvector_is_created_in_public(bare: str) -> None:
    run(bare)
    assert rows(bare, "select extnamespace::regnamespace::text from pg_extension where extname = 'vector'") == [
        ("public",)
    ]


def test_a_second_migration_changes_nothing(toy: str) -> None:
    before = [objects(toy, schema) for schema in ("audience", "audience_bi")]
    done = run(toy)
    assert (done.created, done.changed) == (False, False)
    assert [objects(toy, schema) for schema in ("audience", "audience_bi")] == before


def test_two_migrations_at_once(database: str) -> None:
    done: list[Migration] = []
    start = threading.Barrier(2)

    def migrate_now() -> None:
        start.wait()
        done.append(run(database))

    threads = [threading.Thread(target=migrate_now) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(migration.created for migration in done) == [False, True]


def test_spaces_of_different_dimensions_side_by_side(database: str) -> None:
    for schema, dimensions in (("small", 3), ("large", 5)):
        run(database, schema, dimensions=dimensions)
        settle(database, schema, dimensions)
    for schema, dimensions in (("small", 3), ("large", 5)):
        assert found(database, schema) == [("ann", 1)]
        assert rows(database, "select dimensions, vector_dims(embed('ski')) from space", schema) == [(dimensions,) * 2]


@pytest.mark.parametrize("schema", ["My Space-1", 'say "hi"', "select", "ü" * 24], ids=["space", "quote", "word", "48"])
def test_odd_names(database: str, schema: str) -> None:
    run(database, schema)
    settle(database, schema)
    assert found(database, schema) == [("ann", 1)]
    assert rows(database, "select user_id from users", f"{schema}_bi") == [("ann",)]
    assert not run(database, schema).changed


@pytest.mark.parametrize(
    "schema", ["x" * 49, "ü" * 25, "pg_x", "pg_catalog", "information_schema", "public", "$user", ""]
)
def test_impossible_names(database: str, schema: str) -> None:
    with pytest.raises(PgaudienceError, match="cannot be named"):
        run(database, schema)


def test_a_space_keeps_its_model_and_dimensions(toy: str) -> None:
    assert not run(toy, model=MODEL).changed
    with pytest.raises(PgaudienceError, match="made for tests:handmade with 3 dimensions, not for tests:other"):
        run(toy, model="tests:other")
    with pytest.raises(PgaudienceError, match="not for tests:handmade with 4"):
        run(toy, model=MODEL, dimensions=4)


def test_the_weighting_may_change_and_makes_the_space_stale(toy: str) -> None:
    migrate(toy, "audience", model=None, weighting="sqrt", measure=lambda _: (MODEL, 3))
    assert rows(toy, "select weighting, stale from space, status") == [("sqrt", True)]


# Its surroundings


@pytest.mark.parametrize("session_path", ["public", "extensions"])
def test_pgvector_in_another_schema(bare: str, session_path: str) -> None:
    with psycopg.connect(bare) as connection:
        connection.execute("create schema extensions")
        connection.execute("create extension vector with schema extensions")
    run(bare)
    settle(bare)
    session = make_conninfo(bare, options=f"-c search_path={session_path}")
    with psycopg.connect(session, autocommit=True) as connection:
        connection.execute("call audience.refresh()")
        connection.execute("refresh materialized view concurrently audience.user_vectors")
        assert connection.execute("select user_id from audience.search_users('ski')").fetchall() == [("ann",)]
        assert connection.execute("select entry from audience.search_entries('ski')").fetchall() == [("ski",)]
        assert connection.execute("select sum(weight) > 0 from audience.explain_match('ann', 'ski')").fetchall() == [
            (True,)
        ]


def test_the_alembic_table_of_another_application(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("create table alembic_version (version_num varchar(32) primary key)")
        connection.execute("insert into alembic_version values ('0badc0ffee')")
    run(database)
    assert not run(database).changed
    assert rows(database, "select version_num from public.alembic_version") == [("0badc0ffee",)]
    assert rows(database, "select version_num from audience.alembic_version") == [(newest(),)]


def test_a_database_that_is_not_utf8(cluster: Cluster) -> None:
    cluster.execute("drop database if exists {}", "ascii")
    cluster.execute("create database {} encoding 'SQL_ASCII' locale 'C' template template0", "ascii")
    with pytest.raises(PgaudienceError, match="encoded in SQL_ASCII"):
        run(cluster.url("ascii"))


def test_pgvector_is_missing_and_may_not_be_created(cluster: Cluster, bare: str) -> None:
    cluster.execute("drop role if exists {}", "guest")
    cluster.execute("create role {} login password 'guest'", "guest")
    with pytest.raises(PgaudienceError, match="vector is missing") as raised:
        run(make_conninfo(bare, user="guest", password="guest"))
    assert raised.value.hint == "Ask the DBA for: create extension vector with schema public;"


# From one release to another


def test_changed_functions_are_replaced(toy: str, package: Path) -> None:
    edit(package, "alike/similar_users.sql", ("of_user", "person"), ("similarity double", "likeness double"))
    edit(package, "install.sql", ("\\ir search/explain_match.sql\n", ""))
    assert run(toy).changed
    with connect(toy) as connection:
        use_schema(connection, "audience")
        cursor = connection.execute("select * from similar_users(person => 'ann', k => 1)")
        assert [column.name for column in cursor.description or ()] == ["rank", "user_id", "likeness"]
        names = connection.execute("select oid::regprocedure::text from pg_proc where proname = 'explain_match'")
        assert names.fetchall() == [("explain_match(text,vector,text,double precision,double precision)",)]
    assert not run(toy).changed


def test_unchanged_materialized_views_stay(toy: str, package: Path) -> None:
    rows(toy, "delete from users where user_id = 'ann'")
    kept = "select oid, pg_relation_filenode(oid) from pg_class where relkind = 'm' order by oid"
    before = rows(toy, kept), rows(toy, VECTORS)
    edit(package, "alike/similar_users.sql", ("k bigint default 20", "k bigint default 7"))
    run(toy)
    assert (rows(toy, kept), rows(toy, VECTORS)) == before
    assert "ann" in {row[0] for row in rows(toy, VECTORS)}


def test_changed_materialized_views_are_rebuilt(toy: str, package: Path) -> None:
    cy = "select entries from user_vectors where user_id = 'cy'"
    entry_stats = "select 'entry_stats'::regclass::oid"
    before = rows(toy, cy), rows(toy, entry_stats)
    edit(package, "vectors/user_vectors_live.sql", ("count(*) as entries", "count(v.entry_key) as entries"))
    run(toy)
    assert before == ([(3,)], rows(toy, entry_stats))
    assert rows(toy, cy) == [(2,)]


def test_a_function_below_a_materialized_view_rebuilds_it(toy: str, package: Path) -> None:
    edit(package, "vectors/entry_weight.sql", ("ln(1 + entry_weight.frequency)", "1"))
    before = rows(toy, VECTORS)
    run(toy)
    assert rows(toy, VECTORS) != before


def test_indexes_on_a_rebuilt_materialized_view_come_back(toy: str, package: Path) -> None:
    with connect(toy) as connection:
        create_indexes(connection, open_space(connection, "audience"), toy)
        connection.execute('create index "By Frequency" on user_vectors (frequency) where frequency > 1')
    query = "select indexdef from pg_indexes where tablename in ('user_vectors', 'entry_vectors') order by indexname"
    before = rows(toy, query)
    edit(package, "vectors/user_vectors_live.sql", ("count(*) as entries", "count(v.entry_key) as entries"))
    run(toy)
    assert rows(toy, query) == before
    assert len(before) == 7


def test_what_somebody_dropped_comes_back(toy: str) -> None:
    before = [definitions(toy, schema) for schema in ("audience", "audience_bi")]
    rows(toy, "drop materialized view user_vectors cascade")
    rows(toy, "drop schema audience_bi cascade")
    rows(toy, "drop function similar_users")
    assert run(toy).changed
    assert [definitions(toy, schema) for schema in ("audience", "audience_bi")] == before
    assert len(rows(toy, VECTORS)) == 5


@pytest.mark.parametrize("relation", ["status", "user_vectors"])
def test_somebody_elses_view_stops_the_upgrade(toy: str, package: Path, relation: str) -> None:
    rows(toy, f"create view my_report as select * from {relation}")
    before = objects(toy)
    edit(package, "vectors/user_vectors_live.sql", ("count(*) as entries", "count(v.entry_key) as entries"))
    with pytest.raises(PgaudienceError, match=f"my_report depends on .*{relation}"):
        run(toy)
    assert objects(toy) == before


def test_somebody_elses_objects_survive(toy: str, package: Path) -> None:
    rows(toy, "create view my_people as select user_id from users")
    rows(toy, "create view my_vectors as select user_id from user_vectors")
    rows(toy, "create function my_count() returns bigint language sql as 'select count(*) from search_users(''ski'')'")
    edit(package, "alike/similar_users.sql", ("k bigint default 20", "k bigint default 7"))
    run(toy)
    assert rows(toy, "select count(*) from my_people") == [(6,)]
    assert rows(toy, "select count(*), max(my_count()) from my_vectors") == [(5, 5)]


def test_a_broken_file_changes_nothing(toy: str, package: Path) -> None:
    before = objects(toy)
    edit(package, "alike/similar_users.sql", ("k bigint default 20", "k bigint default 7"))
    edit(package, "status.sql", ("create view status", "select 1 / 0; create view status"))
    with pytest.raises(psycopg.errors.DivisionByZero):
        run(toy)
    assert objects(toy) == before


def test_an_open_query_stops_the_upgrade_for_now(toy: str, package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locking, "PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(locking, "LAST_TIMEOUT", "100ms")
    edit(package, "vectors/user_vectors_live.sql", ("count(*) as entries", "count(v.entry_key) as entries"))
    with connect(toy) as reader:
        reader.execute("select * from audience.user_vectors limit 1")
        before = objects(toy)
        with pytest.raises(PgaudienceError, match="another session is using the space") as caught:
            run(toy)
        pid = reader.info.backend_pid
        assert f"process {pid} (pgaudience, role pgaudience, idle in a transaction, since " in caught.value.message
        assert f"select pg_terminate_backend({pid});" in str(caught.value.hint)
        assert objects(toy) == before
    assert run(toy).changed


def test_readers_pass_while_it_upgrades(toy: str, package: Path) -> None:
    """Each of them has locks of one query when it asks for those of the next, in orders that cross.

    PostgreSQL keeps the plans of a session: one that runs a function made anew meanwhile may fail, once an upgrade.
    """
    queries = [
        "select count(*) from audience_bi.users",
        "select * from audience.search_users('ski')",
        "select * from audience.status",
        "select * from audience.explain_match('ann', 'ski')",
        "select count(*) from audience.user_vectors",
    ]
    errors: list[tuple[int, str]] = []
    rounds = [0, 0, 0]
    done = threading.Event()

    def read(number: int) -> None:
        step = (1, 2, 3)[number]
        with psycopg.connect(toy, options="-c search_path=audience,public") as reader:
            while not done.wait(0.2):
                try:
                    for place in range(3):
                        reader.execute(queries[(rounds[number] + step * place) % len(queries)].encode())
                    reader.commit()
                except psycopg.Error as error:
                    errors.append((number, str(error)))
                    reader.rollback()
                rounds[number] += 1

    threads = [threading.Thread(target=read, args=(number,)) for number in range(3)]
    [thread.start() for thread in threads]
    try:
        for number in range(UPGRADES):
            edit(
                package,
                "alike/similar_users.sql",
                (f"k bigint default {20 + number}", f"k bigint default {21 + number}"),
            )
            assert run(toy).changed
    finally:
        done.set()
        [thread.join() for thread in threads]
    assert [error for _, error in errors if not error.startswith("cache lookup failed for function")] == []
    assert all(sum(reader == number for reader, _ in errors) <= UPGRADES for number in range(3))
    assert min(rounds) > 0


def test_a_new_migration_runs_with_the_views_out_of_its_way(toy: str, package: Path) -> None:
    (package / "migrations" / "versions" / "9999_numeric.py").write_text(
        f"from alembic import op\nrevision, down_revision = '9999', '{newest()}'\n"
        "def upgrade():\n    op.execute('alter table activity alter column frequency type real')\n"
    )
    before = rows(toy, "select user_id, round(score::numeric, 3) from search_users('ski', mode => 'mean')")
    assert run(toy).changed
    assert found(toy) == before
    assert rows(toy, "select version_num from audience.alembic_version") == [("9999",)]
    assert not run(toy).changed


def test_psql_installs_the_same(toy: str) -> None:
    before = definitions(toy)
    with connect(toy) as connection:
        use_schema(connection, "audience")
        drop_installed(connection, [])
    assert definitions(toy) != before
    path = ["--command", "set search_path = audience, public, pg_temp"]
    done = run_psql(toy, "-1", "-v", "ON_ERROR_STOP=1", *path, "--file", str(resources.folder("sql") / "install.sql"))
    assert done.returncode == 0, done.stderr
    assert definitions(toy) == before


def test_psql_refuses_a_schema_that_is_no_space(database: str) -> None:
    install = str(resources.folder("sql") / "install.sql")
    done = run_psql(database, "-v", "ON_ERROR_STOP=1", "--file", install, schema="public")
    assert done.returncode != 0
    assert "schema public is not a pgaudience space" in done.stderr
