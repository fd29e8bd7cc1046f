"""Under the settings that somebody gave the database or the role, commands and searches are the same."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from conftest import connect, migrate_toy, run_psql
from pgaudience.cli import cli
from pgaudience.database import connect as connect_as_command
from pgaudience.database import open_space
from servers import Cluster

SETTINGS = {
    "DateStyle": "SQL, DMY",
    "IntervalStyle": "iso_8601",
    "bytea_output": "escape",
    "extra_float_digits": "-10",
    "quote_all_identifiers": "on",
    "search_path": "pg_catalog",
    "default_transaction_isolation": "serializable",
    "idle_in_transaction_session_timeout": "1min",
    "statement_timeout": "1min",
    "lock_timeout": "1min",
}
SEARCHES = (
    "select * from search_users('ski')",
    "select * from similar_users('ann')",
    "select * from explain_match('bob', 'ski')",
    "select entry, similarity from search_entries('ski')",
)


def set_all(url: str, settings: dict[str, str]) -> None:
    name = sql.Identifier(str(conninfo_to_dict(url)["dbname"]))
    with psycopg.connect(url, autocommit=True) as connection:
        for setting, value in settings.items():
            statement = sql.SQL("alter database {} set {} = {}")
            values = sql.SQL(value) if setting == "search_path" else sql.Literal(value)
            connection.execute(statement.format(name, sql.Identifier(setting), values))


def answers(url: str) -> list[list[tuple]]:
    with connect(url) as connection:
        return [connection.cursor(binary=True).execute(search.encode()).fetchall() for search in SEARCHES]


def test_commands_under_the_settings_of_others(toy: str, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("user_id,entry,frequency,occurred_at\nfay,Ski Aspen,4,2026-05-31\n")
    set_all(toy, SETTINGS)
    for args in (
        ["load", str(file), "--no-embed"],
        ["load", str(file), "--no-embed", "--mode", "add", "--force"],
        ["status"],
        ["refresh"],
        ["segment", "people", "--k", "2"],
        ["migrate"],
    ):
        done = CliRunner().invoke(cli, ["--database", toy, *args])
        assert done.exit_code == 0, f"{args}: {done.exception!r} {done.output}"
    with connect_as_command(toy) as connection:
        open_space(connection, "audience")
        shown = [connection.execute(f"show {name}".encode()).fetchone() for name in list(SETTINGS)[-3:]]
        assert shown == [("0",), ("0",), ("10min",)]
        found = connection.execute(
            "select frequency, (last_at at time zone 'UTC')::date - date '2026-01-01' from activity"
            " join users using (user_key) where user_id = 'fay'"
        ).fetchall()
    assert found == [(8, 150)]


def test_texts_under_other_strings(toy: str) -> None:
    """The bodies of functions are read with the setting of the session that calls them."""
    calls = (
        "select template_parts('{entry} — {category}, {aisle}')",
        "select count(*) from audiences",
        "select embed('[1, 0, 0]')",
        "select user_id from assign_segment('[1, 0, 0]', 'people')",
    )

    def results() -> list[object]:
        found: list[object] = []
        for call in calls:
            with connect(toy) as connection:
                try:
                    found.append(connection.execute(call.encode()).fetchall())
                except psycopg.Error as error:
                    found.append((error.sqlstate, error.diag.message_primary))
        return found

    before = results()
    set_all(toy, {"standard_conforming_strings": "off"})
    assert results() == before


@pytest.mark.parametrize(
    "settings",
    [{"standard_conforming_strings": "off"}, {"extra_float_digits": "-10"}, {"DateStyle": "German"}],
    ids=lambda settings: next(iter(settings)),
)
def test_searches_under_the_settings_of_others(toy: str, settings: dict[str, str]) -> None:
    before = answers(toy)
    set_all(toy, settings)
    assert answers(toy) == before


COLLATIONS = (
    "locale_provider icu icu_locale 'tr-TR'",
    "locale_provider builtin builtin_locale 'PG_UNICODE_FAST'",
    "locale_provider libc locale 'C'",
)
TEXTS = ("ISPARTA İzmir Iğdır ılık", "SKI Ålesund ØRE", "ПРИВЕТ Москва", "ΟΔΥΣΣΕΥΣ οδυσσευς Άνδρος", "STRASSE Straße")
FLOW = (
    *SEARCHES,
    "select split_words(raw) from unnest(%(texts)s::text[]) with ordinality t (raw, place) order by place",
    "select lower_case(raw) from unnest(%(plain)s::text[]) with ordinality t (raw, place) order by place",
    "select segment_id, name, keywords from segments order by segment_id",
)


def flow(url: str) -> list[list[tuple]]:
    with connect(url) as connection:
        connection.execute('update entries set entry = upper(entry collate "C") where entry_key = 1')
        connection.execute("call refresh()")
        connection.execute("call build_segmentation('people', k => 2)")
        texts = {"texts": list(TEXTS), "plain": list(TEXTS[1:3])}
        return [connection.execute(query.encode(), texts).fetchall() for query in FLOW]


@pytest.mark.slow
@pytest.mark.parametrize("collation", COLLATIONS, ids=["icu", "builtin", "libc"])
def test_results_under_other_collations(toy: str, cluster: Cluster, collation: str) -> None:
    name = "collated"
    cluster.execute("drop database if exists {} with (force)", name)
    try:
        with psycopg.connect(cluster.url(), autocommit=True) as connection:
            connection.execute(f"create database {name} {collation} template template0".encode())
    except (psycopg.errors.FeatureNotSupported, psycopg.errors.InvalidParameterValue, psycopg.errors.SyntaxError) as e:
        pytest.skip(f"the server has no such collation: {e}")
    cluster.clones.append(name)
    url = cluster.url(name)
    migrate_toy(url)
    done = run_psql(url, "--set", "ON_ERROR_STOP=1", "--file", "fixture/toy.sql")
    assert done.returncode == 0, done.stderr
    assert flow(url) == flow(toy)
