"""The dbt project in examples/: its feed, its freshness, and a model on audiences that a build brings up to date."""

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

from conftest import TESTS, Cluster, connect, migrate_toy
from test_run import EMBED, SETUP
from test_sources import one

pytestmark = pytest.mark.slow

PROJECT = TESTS.parent / "examples" / "dbt"
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

    assert dbt("source", "freshness").returncode == 0
    connection.execute("update public.orders set updated_at = now() - interval '4 days'")
    stale = dbt("source", "freshness")
    assert stale.returncode == 1 and "ERROR STALE" in stale.stdout, stale.stdout
