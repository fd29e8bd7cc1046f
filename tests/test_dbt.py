"""The dbt package and project in examples/: feeds, freshness, a model on audiences that a build brings up to date."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
import yaml
from psycopg.conninfo import make_conninfo

from conftest import TESTS, Cluster, connect, migrate_toy
from test_run import EMBED, SETUP
from test_sources import one

pytestmark = pytest.mark.slow

EXAMPLES = TESTS.parent / "examples"
PROJECT, PACKAGE = EXAMPLES / "dbt", EXAMPLES / "dbt_pgaudience"
TABLES = """
create table public.customers (id text primary key, country text);
create table public.orders (
    id bigint generated always as identity primary key,
    customer text,
    product text,
    quantity double precision,
    updated_at timestamptz default now()
);
insert into public.customers values ('ann', 'Spain'), ('bob', 'Spain'), ('cy', 'France');
insert into public.orders (customer, product, quantity) values ('ann', 'tea', 3), ('bob', 'tea', 1), ('cy', 'wax', 2),
    ('cy', 'tea', -2);
"""

Dbt = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def connection(cluster18: Cluster) -> Iterator[psycopg.Connection]:
    with connect(cluster18.clone("space", migrate_toy), autocommit=True) as connection:
        connection.execute(TABLES.encode())
        connection.execute(SETUP)
        yield connection


@pytest.fixture
def dbt(connection: psycopg.Connection, tmp_path: Path) -> Dbt:
    if not find_spec("dbt"):
        pytest.skip("dbt is not installed")
    project = tmp_path / "dbt"
    shutil.copytree(PROJECT, project)
    shutil.copytree(PACKAGE, tmp_path / PACKAGE.name)
    target = connection.info
    environment = {
        **os.environ,
        "PGHOST": target.host,
        "PGPORT": str(target.port),
        "PGUSER": target.user,
        "PGPASSWORD": target.password,
        "PGDATABASE": target.dbname,
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        options = ["--vars", json.dumps({"space": "audience"}), "--profiles-dir", "."]
        return subprocess.run(
            [sys.executable, "-m", "dbt.cli.main", *arguments, *options],
            cwd=project, env=environment, capture_output=True, text=True, timeout=300,
        )  # fmt: skip

    done = run("deps")
    assert done.returncode == 0, done.stdout
    return run


def test_a_build_brings_the_audiences_up_to_date(connection: psycopg.Connection, dbt: Dbt) -> None:
    done = dbt("build")
    assert done.returncode == 0, done.stdout
    assert one(connection, "select count(*) from analytics.order_lines") == (3,)
    for statement in (
        "call add_source('analytics.order_lines', user_column => 'customer', entry_column => 'product',"
        " frequency_column => 'quantity')",
        "call add_source('public.customers', user_column => 'id', attributes => array['country'])",
        "call sync()",
        EMBED,
        "call save_audience('spain', filter => '{\"country\": \"Spain\"}')",
        "insert into public.customers values ('dan', 'Spain')",
        "insert into public.orders (customer, product, quantity) values ('dan', 'wax', 4)",
        "delete from public.orders where customer = 'bob'",
        "update public.customers set country = 'France' where id = 'bob'",
    ):
        connection.execute(statement.encode())

    done = dbt("build")

    assert done.returncode == 0, done.stdout
    assert "ERROR=0" in done.stdout and "PASS=7" in done.stdout
    assert one(connection, "table analytics.audience_value") == ("spain", 2, 7)
    assert one(connection, "select array_agg(step order by started_at) from runs where run_id = 2") == (
        ["sync", "refresh", "audiences"],
    )
    assert one(connection, "select count(*) from runs where fault is not null") == (0,)

    # Nothing that dbt has made is in the way of an upgrade.
    connection.execute("update space set bundle_digest = 'another'")
    url = make_conninfo(connection.info.dsn, password=connection.info.password)
    migrate_toy(url)
    assert one(connection, "select bundle_digest <> 'another' from space") == (True,)

    fresh = dbt("source", "freshness")
    assert fresh.returncode == 0, fresh.stdout
    connection.execute("update public.orders set updated_at = now() - interval '4 days'")
    stale = dbt("source", "freshness")
    assert stale.returncode == 1 and "ERROR STALE" in stale.stdout, stale.stdout


FEED = """
{{ config(materialized="activity_feed") }}
select day as batch, customer as user_id, product as entry, quantity as frequency, null::timestamptz as occurred_at
from {{ source("shop", "orders") }}
where customer <> 'nobody'
"""
FED = "select coalesce(sum(a.frequency), 0) from users u left join activity a using (user_key) where u.user_id = 'ann'"


def test_a_feed_counts_each_batch_once(connection: psycopg.Connection, dbt: Dbt, tmp_path: Path) -> None:
    (tmp_path / "dbt" / "models" / "fed.sql").write_text(FEED)
    connection.execute("alter table public.orders add day date default '2026-01-01'")
    connection.execute("delete from public.orders where quantity < 0")
    for _ in range(2):
        done = dbt("run", "--select", "fed")
        assert done.returncode == 0, done.stdout
        assert one(connection, FED) == (3,)
    assert one(connection, "select batch, rows from analytics.fed") == ("2026-01-01", 3)

    connection.execute(
        "insert into public.orders (customer, product, quantity, day) values ('ann', 'tea', 5, '2026-01-02')"
    )
    assert dbt("run", "--select", "fed", "--full-refresh").returncode == 0
    assert one(connection, FED) == (8,)

    # A batch of which a row is refused is not fed at all, nor journalled; once it is mended, it is fed whole.
    connection.execute("insert into public.orders (customer, product, quantity, day) values"
                       " ('ann', 'wax', 1, '2026-01-03'), ('ann', ' ', 1, '2026-01-03')")  # fmt: skip
    broken = dbt("run", "--select", "fed")
    assert broken.returncode == 1 and "entry_is_not_blank" in broken.stdout
    assert one(connection, FED) == (8,)
    assert one(connection, "select count(*) from analytics.fed") == (2,)
    connection.execute("delete from public.orders where product = ' '")
    assert dbt("run", "--select", "fed").returncode == 0
    assert one(connection, FED) == (9,)

    connection.execute("insert into public.orders (customer, product, quantity, day) values ('ann', 'tea', 1, null)")
    assert "null value in column" in dbt("run", "--select", "fed").stdout


def test_the_package_has_every_view_as_a_source(connection: psycopg.Connection) -> None:
    (source,) = yaml.safe_load((PACKAGE / "models" / "sources.yml").read_text())["sources"]
    views = one(connection, "select array_agg(viewname::text) from pg_views where schemaname = 'audience_bi'")[0]
    assert sorted(table["name"] for table in source["tables"]) == sorted(views)
