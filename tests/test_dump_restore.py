"""pg_dump and pg_restore of a space: whole, one schema of many, into a newer server, by its owner."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from catalog import definitions
from conftest import TOY_MODEL, Cluster, connect, migrate_toy
from pgaudience.cli import cli
from pgaudience.database import open_space
from pgaudience.indexing import create_indexes
from pgaudience.installing import migrate
from pgaudience.server import binary

# Roles belong to the whole server: one worker does them all.
pytestmark = [pytest.mark.slow, pytest.mark.turns("dump_restore")]

_PLAIN_REFRESH = "refresh materialized view concurrently audience.user_vectors"
CONTENT = {
    "users": "select * from users order by user_key",
    "activity": "select * from activity order by user_key, entry_key",
    "sessions": "select * from sessions order by user_key, session_id",
    "vectors": "select entry_key, embedding::text from entry_vectors order by entry_key",
    "profiles": "select user_id, entries, frequency, coverage, embedding::text from user_vectors order by user_id",
    "statistics": "select * from entry_stats order by entry_key",
    "status": "select * from status",
    "reports": "select * from audience_bi.users order by user_id",
    "search": "select * from search_users('ski')",
    "why": "select * from explain_match('bob', 'ski')",
    "type": "select format_type(atttypid, atttypmod) from pg_attribute"
    " where attrelid = 'user_vectors'::regclass and attname = 'embedding'",
    "indexes": "select indexdef from pg_indexes where schemaname = 'audience' order by indexdef",
}


def content(url: str) -> dict[str, list[tuple]]:
    """What people see of a space, read in sessions that have not touched pgvector before."""
    found: dict[str, list[tuple]] = {}
    for name, query in CONTENT.items():
        with connect(url) as connection:
            found[name] = connection.execute(query).fetchall()
    return found


def dump(url: str, major: int, file: Path, *options: str) -> None:
    subprocess.run(
        [binary("pg_dump", major), "--format=custom", "--compress=0", f"--file={file}", *options, url], check=True
    )


def restore(url: str, major: int, file: Path, *options: str) -> None:
    command = [binary("pg_restore", major), "--exit-on-error", f"--dbname={url}", *options, file]
    subprocess.run(command, check=True)


@pytest.fixture
def indexed(toy: str) -> str:
    """The toy space with HNSW indexes."""
    with connect(toy) as connection:
        connection.execute("insert into sessions select user_key, '1', array_agg(entry_key) from activity group by 1")
        connection.commit()
        create_indexes(connection, open_space(connection, "audience"), toy)
    return toy


def check_is_alive(url: str) -> None:
    """Nothing to migrate, and refreshing shows what has changed since."""
    done = migrate(url, "audience", model=None, weighting=None, measure=lambda _: TOY_MODEL)
    assert (done.created, done.changed) == (False, False)
    with psycopg.connect(url, autocommit=True) as connection:
        for user in ("dan", "eve"):
            connection.execute("delete from audience.users where user_id = %s", [user])
            connection.execute("call audience.refresh()" if user == "dan" else _PLAIN_REFRESH)
            found = connection.execute("select user_id from audience.search_users('ski')").fetchall()
            assert (user,) not in found
            assert ("ann",) in found


def test_a_whole_database(indexed: str, cluster: Cluster, tmp_path: Path) -> None:
    dump(indexed, cluster.major, tmp_path / "dump")
    fresh = cluster.clone("bare", lambda _: None)
    restore(fresh, cluster.major, tmp_path / "dump")
    assert content(fresh) == content(indexed)
    assert definitions(fresh) == definitions(indexed)
    with connect(fresh) as connection:
        connection.execute("set role audience_bi_reader")
        assert connection.execute("select users from audience_bi.status").fetchone() == (6,)
    check_is_alive(fresh)


def test_one_space_of_a_database(indexed: str, database: str, cluster: Cluster, tmp_path: Path) -> None:
    migrate_toy(indexed, "other", dimensions=5)
    dump(indexed, cluster.major, tmp_path / "dump", "--schema=audience", "--schema=audience_bi")
    restore(database, cluster.major, tmp_path / "dump")
    assert content(database) == content(indexed)
    check_is_alive(database)


@pytest.mark.parametrize("cluster", [16], indirect=True)
def test_from_16_into_18(indexed: str, cluster18: Cluster, tmp_path: Path) -> None:
    dump(indexed, 18, tmp_path / "dump", "--no-privileges")
    fresh = cluster18.clone("bare", lambda _: None)
    restore(fresh, 18, tmp_path / "dump")
    assert content(fresh) == content(indexed)
    assert migrate(fresh, "audience", model=None, weighting=None, measure=lambda _: TOY_MODEL).changed
    with connect(fresh) as connection:
        for role in ("audience_reader", "audience_bi_reader"):
            connection.execute(f"set role {role}")
            assert connection.execute("select count(*) from audience_bi.users").fetchone() == (6,)
    check_is_alive(fresh)


@pytest.fixture
def owner(cluster: Cluster) -> Iterator[str]:
    """A role that may do nothing but own a database of its own."""
    cluster.execute("create role {} login password 'owner'", "owner")
    yield "owner"
    cluster.execute("drop role {}", "owner")


def test_by_a_role_that_only_owns_the_database(
    toy: str, database: str, cluster: Cluster, owner: str, tmp_path: Path
) -> None:
    dump(toy, cluster.major, tmp_path / "dump", "--schema=audience", "--schema=audience_bi")
    name = str(conninfo_to_dict(database)["dbname"])
    cluster.execute("alter database {} owner to {}", name, owner)
    restore(make_conninfo(database, user=owner, password=owner), cluster.major, tmp_path / "dump", "--no-owner")
    assert content(database) == content(toy)
    check_is_alive(database)
    cluster.execute("drop database {}", name)


WEIGHTS = "select encoder_digest(), (select similarity > 0.9999 from check_encoder()), embed('night clubs')::text"


def with_weights(url: str) -> tuple | None:
    with connect(url) as connection:
        return connection.execute(WEIGHTS).fetchone()


def test_the_model_in_a_space(encoded: str, cluster: Cluster, tmp_path: Path) -> None:
    dump(encoded, cluster.major, tmp_path / "dump")
    fresh = cluster.clone("bare", lambda _: None)
    restore(fresh, cluster.major, tmp_path / "dump")
    assert with_weights(fresh) == with_weights(encoded)


def test_a_space_without_its_model(encoded: str, cluster: Cluster, tmp_path: Path) -> None:
    """As docs/embedding.md has it: migrate brings back the weights that were left out."""
    dump(encoded, cluster.major, tmp_path / "dump", "--exclude-table-data=audience.encoder*")
    fresh = cluster.clone("bare", lambda _: None)
    restore(fresh, cluster.major, tmp_path / "dump")
    with connect(fresh) as connection:
        assert connection.execute("select query_source('night clubs')").fetchone() == ("none",)
    done = CliRunner().invoke(cli, ["--database", fresh, "migrate"])
    assert done.exit_code == 0, done.output
    assert with_weights(fresh) == with_weights(encoded)


def test_a_view_that_was_not_populated(toy: str, cluster: Cluster, tmp_path: Path) -> None:
    with connect(toy) as connection:
        connection.execute("refresh materialized view user_vectors with no data")
    dump(toy, cluster.major, tmp_path / "dump")
    fresh = cluster.clone("bare", lambda _: None)
    restore(fresh, cluster.major, tmp_path / "dump")
    check_is_alive(fresh)
