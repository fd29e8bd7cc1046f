"""The doctor: what it says of a healthy space, and of each thing that can be wrong, with its mend."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from conftest import Cluster, packaged_folder
from pgaudience import resources
from pgaudience.checking import Check, run_checks
from pgaudience.database import connect, use_schema
from pgaudience.installing import migrate

# Roles belong to the whole server: one worker does them all.
pytestmark = pytest.mark.turns("check")

SPACE = "checked"
MODEL = "sentence-transformers:nobody/mpnet"
"""Its weights are not here, so that it does not run in SQL."""


def _migrate(url: str) -> None:
    migrate(url, SPACE, model=None, weighting=None, measure=lambda _: (MODEL, 3))


@pytest.fixture
def healthy(cluster: Cluster) -> str:
    """A space with one entry, embedded, refreshed and distilled."""

    def fill(url: str) -> None:
        _migrate(url)
        execute(url, """
            insert into entries (entry) values ('ski');
            insert into entry_vectors (entry_key, embedding) values (1, '[1,0,0]');
            insert into users (user_id) values ('ann');
            insert into activity values (1, 1, 1);
            insert into tokens values ('ski', '[1,0,0]');
            update space set distilled_at = now(), distilled_entries = 1;
            call refresh();""")  # fmt: skip

    return cluster.clone("healthy", fill)


@pytest.fixture
def guest(cluster: Cluster) -> Iterator[str]:
    """A login role with no rights of its own."""
    cluster.execute("create role {} login password 'guest'", "check_guest")
    yield "check_guest"
    cluster.execute("drop role {}", "check_guest")


def execute(url: str, statement: str, schema: str = SPACE) -> None:
    with connect(url, autocommit=True) as connection:
        use_schema(connection, schema)
        connection.execute(statement.encode())


def failing(url: str, schema: str = SPACE) -> dict[str, tuple[str, str]]:
    with connect(url) as connection:
        return {check.name: (check.found, check.mend) for check in run_checks(connection, schema) if not check.ok}


@pytest.mark.slow
def test_nothing_is_wrong(healthy: str) -> None:
    assert failing(healthy) == {}
    with connect(healthy) as connection:
        names = [check.name for check in run_checks(connection, SPACE)]
    assert names == [
        "server", "pgvector", "space", "functions and views", "temporary tables", "role checked_reader",
        "role checked_writer", "role checked_bi_reader", "schema checked_bi", "model", "entries waiting for a vector",
        "entries the model refused", "entries in words", "user vectors", "model in SQL", "token table",
    ]  # fmt: skip


def test_no_space(healthy: str) -> None:
    assert failing(healthy, "elsewhere") == {"space": ("no space 'elsewhere'", "Run: pgaudience migrate")}


def test_no_extension(cluster: Cluster) -> None:
    found = failing(cluster.clone("bare", lambda _: None))
    assert found["pgvector"] == ("missing", "Ask the DBA for: create extension vector with schema public;")
    assert found.keys() == {"pgvector", "space"}


def test_an_entry_waits(healthy: str) -> None:
    execute(healthy, "insert into entries (entry) values ('chess')")
    assert failing(healthy) == {"entries waiting for a vector": ("1", "Run: pgaudience embed")}


def test_an_entry_was_refused(healthy: str) -> None:
    execute(healthy, "insert into entries (entry) values ('chess')")
    execute(
        healthy,
        "insert into entry_failures (entry_key, error) select entry_key, 'no' from entries where entry = 'chess'",
    )
    found, mend = failing(healthy)["entries the model refused"]
    assert (found, failing(healthy).keys()) == ("1", {"entries the model refused"})
    with connect(healthy) as connection:
        use_schema(connection, SPACE)
        assert connection.execute(mend.partition("See why: ")[2].encode()).fetchall() == [("chess", "no", 1)]


def test_the_user_vectors_are_stale(healthy: str) -> None:
    execute(healthy, "update activity set frequency = 2")
    assert failing(healthy) == {"user vectors": ("stale", "Run: pgaudience refresh")}


def test_texts_have_changed(healthy: str) -> None:
    execute(healthy, 'update entries set attributes = \'{"kind": "sport"}\'')
    assert failing(healthy) == {}
    execute(healthy, "update space set entry_template = '{entry} ({kind})'")
    assert failing(healthy) == {"entries waiting for a vector": ("1", "Run: pgaudience embed")}


def test_the_token_table_is_missing_or_behind(healthy: str) -> None:
    execute(
        healthy,
        """
        insert into entries (entry) values ('chess');
        insert into entry_vectors (entry_key, embedding) select entry_key, '[0,1,0]' from entries where entry = 'chess';
        call refresh();""",
    )
    assert failing(healthy) == {"token table": ("fitted to 1 entries", "Run: pgaudience distill")}
    execute(healthy, "update space set distilled_entries = 2; delete from tokens")
    assert failing(healthy) == {"token table": ("none yet", "Run: pgaudience distill")}


def test_why_the_model_does_not_run_in_sql(healthy: str, tmp_path: Path) -> None:
    def found() -> Check:
        with connect(healthy) as connection:
            return next(each for each in run_checks(connection, SPACE) if each.name == "model in SQL")

    assert (found().ok, found().found) == (True, "none: its weights are not on this machine")
    folder = tmp_path / "mpnet"
    shutil.copytree(packaged_folder(), folder)
    config = (folder / "config.json").read_text()
    (folder / "config.json").write_text(config.replace('"model_type": "bert"', '"model_type": "mpnet"'))
    execute(healthy, f"update space set model = 'sentence-transformers:{folder}'")
    assert (found().ok, found().found) == (True, "none: its architecture is mpnet, not bert")
    (folder / "config.json").write_text(config)
    assert (found().ok, found().found) == (False, "not stored")
    assert found().mend == "Run, as the owner of the space: pgaudience migrate"


@pytest.mark.slow
def test_roles_are_missing(database: str, cluster: Cluster) -> None:
    migrate(database, "roleless", model=None, weighting=None, measure=lambda _: (MODEL, 3))
    for role in ("roleless_reader", "roleless_writer", "roleless_bi_reader"):
        execute(database, f"drop owned by {role}; drop role {role};", "roleless")
    found = failing(database, "roleless")
    for role in ("roleless_reader", "roleless_writer", "roleless_bi_reader"):
        mend = f'Ask the DBA for: create role "{role}" nologin; then run: pgaudience migrate'
        assert found[f"role {role}"] == ("missing", mend)
        execute(database, f"create role {role} nologin", "roleless")
        assert failing(database, "roleless")[f"role {role}"] == ("without rights", "Run: pgaudience migrate")
    migrate(database, "roleless", model=None, weighting=None, measure=lambda _: (MODEL, 3))
    assert failing(database, "roleless").keys() == {"user vectors"}


def test_the_bi_schema_is_missing(healthy: str) -> None:
    execute(healthy, "drop schema checked_bi cascade")
    found, mend = failing(healthy)["schema checked_bi"]
    assert found == "missing"
    statement = mend.removeprefix("Ask the DBA for: ").removesuffix(" then run: pgaudience migrate")
    execute(healthy, statement)
    assert failing(healthy).keys() == {"functions and views"}
    _migrate(healthy)
    assert failing(healthy) == {}


def test_somebody_dropped_a_function(healthy: str) -> None:
    execute(healthy, "drop function similar_users")
    arguments = "pg_catalog.text,bigint,pg_catalog.text,boolean,pg_catalog.jsonb,bigint"
    found = f"1 missing: function checked.similar_users({arguments})"
    assert failing(healthy) == {"functions and views": (found, "Run: pgaudience migrate")}
    _migrate(healthy)
    assert failing(healthy) == {}


def test_temporary_tables_are_not_allowed(cluster: Cluster, healthy: str, guest: str) -> None:
    name = str(conninfo_to_dict(healthy)["dbname"])
    execute(healthy, sql.SQL("revoke temporary on database {} from public").format(sql.Identifier(name)).as_string())
    cluster.execute("grant {} to {}", "checked_writer", guest)
    url = make_conninfo(healthy, user=guest, password="guest")
    found, mend = failing(url)["temporary tables"]
    assert found == "not allowed, so nothing can be loaded"
    execute(healthy, mend.removeprefix("Ask the DBA for: "))
    assert failing(url) == {}
    cluster.execute("drop database {} with (force)", name)


def test_the_role_may_not_read(healthy: str, guest: str) -> None:
    url = make_conninfo(healthy, user=guest, password="guest")
    found, mend = failing(url)["space"]
    assert found == "this role may not read 'checked'"
    execute(healthy, mend.removeprefix("Ask its owner for: "))
    assert failing(url) == {}


@pytest.mark.parametrize(
    ("file", "more"),
    [("vectors/scale.sql", "\n"), ("grants.sql", "\n"), ("install.sql", "\\ir extra.sql\n"), ("bi/users.sql", "\n")],
)
def test_the_bundle_is_another_version(
    healthy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, more: str
) -> None:
    shutil.copytree(resources.folder("sql"), tmp_path / "sql")
    (tmp_path / "sql" / "extra.sql").write_text("create view extra as select 1 as one;\n")
    with (tmp_path / "sql" / file).open("a") as opened:
        opened.write(more)
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path)
    assert failing(healthy) == {"functions and views": ("of another version", "Run: pgaudience migrate")}


def test_the_model_is_unknown(healthy: str) -> None:
    execute(healthy, "update space set model = 'nobodys:model'")
    found, mend = failing(healthy)["model"]
    assert found == "nobodys:model: 'nobodys:model' names no embedding model"
    assert "sentence-transformers:" in mend
