"""Roles that may do only what they must: the owner of one schema, a reader, a writer, nobody, somebody hostile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from conftest import TESTS, TOY_MODEL, Cluster
from conftest import connect as connect_to
from openai_server import serving
from pgaudience.checking import run_checks
from pgaudience.database import connect, open_space
from pgaudience.errors import PgaudienceError
from pgaudience.indexing import create_indexes
from pgaudience.installing import Migration, migrate
from pgaudience.loading.load import load
from pgaudience.reading import Columns, Rejects, open_source
from pgaudience.refresh import refresh
from pgaudience.worker import Worker

# Roles belong to the whole server: one worker does them all.
pytestmark = pytest.mark.turns("least_power")

SPACE = "power"
ROLES = ("power_owner", "power_ann", "power_bea", "power_wes", "power_nora")


@dataclass(frozen=True)
class Power:
    """One database as its superuser, the owner of the space, a reader, a writer and somebody else see it."""

    dba: str

    def login(self, role: str) -> str:
        return make_conninfo(self.dba, user=role, password=role)

    @property
    def owner(self) -> str:
        return self.login("power_owner")

    @property
    def reader(self) -> str:
        return self.login("power_ann")

    @property
    def bi_reader(self) -> str:
        return self.login("power_bea")

    @property
    def writer(self) -> str:
        return self.login("power_wes")

    @property
    def nobody(self) -> str:
        return self.login("power_nora")


def run(url: str, space: str = SPACE) -> Migration:
    return migrate(url, space, model=None, weighting=None, measure=lambda _: TOY_MODEL)


def rows(url: str, query: str, *values: object, path: str = SPACE) -> list[tuple]:
    with connect_to(url, path, autocommit=True) as connection:
        cursor = connection.execute(query, values or None)
        return cursor.fetchall() if cursor.description else []


def failing(url: str, space: str = SPACE) -> dict[str, str]:
    with connect(url) as connection:
        return {check.name: check.mend for check in run_checks(connection, space) if not check.ok}


def load_rows(url: str, folder: Path, text: str = "user_id,entry,frequency\nfay,Ski Zermatt,4\n") -> None:
    file = folder / "rows.csv"
    file.write_text(text)
    with connect(url) as connection, Rejects() as rejects:
        open_space(connection, SPACE)
        with open_source(file, format=None, columns=Columns(), rejects=rejects) as source:
            load(connection, [source])


def embed_by_hand(url: str) -> None:
    rows(url, "insert into entry_vectors (entry_key, embedding)"
         " select entry_key, '[1,0,0]' from entries where entry = 'Ski Zermatt'")  # fmt: skip


def create_login(cluster: Cluster, role: str) -> None:
    cluster.execute("create role {} login password " + sql.Literal(role).as_string(), role)


@pytest.fixture
def fresh(cluster: Cluster) -> Iterator[str]:
    """A database as a DBA hands it over: pgvector is there, and the schema `plain` of a role that has nothing else."""
    url = cluster.clone("bare", lambda _: None)
    name = str(conninfo_to_dict(url)["dbname"])
    create_login(cluster, "plain_owner")
    cluster.execute("revoke create on database {} from public", name)
    with psycopg.connect(url) as connection:
        connection.execute("create extension vector with schema public")
        connection.execute("create schema plain authorization plain_owner")
    yield url
    cluster.execute("drop database {} with (force)", name)
    for role in ("plain_owner", "plain_reader", "plain_writer", "plain_bi_reader"):
        cluster.execute("drop role if exists {}", role)


@pytest.fixture
def power(cluster: Cluster) -> Power:
    """The toy space in the hands of such a role, with a reader and a writer."""

    def fill(url: str) -> None:
        for role in ROLES:
            create_login(cluster, role)
        with psycopg.connect(url) as connection:
            connection.execute("create extension vector with schema public")
            connection.execute("create schema power authorization power_owner")
            connection.execute("create schema power_bi authorization power_owner")
            connection.execute("create role power_reader role power_ann")
            connection.execute("create role power_writer role power_wes")
            connection.execute("create role power_bi_reader role power_bea")
        run(Power(url).owner)
        rows(Power(url).owner, (TESTS / "sql" / "fixture" / "toy.sql").read_text())

    return Power(cluster.clone("power", fill))


# The owner of the schema


@pytest.mark.slow
def test_the_dba_is_told_what_is_missing(fresh: str) -> None:
    owner = make_conninfo(fresh, user="plain_owner", password="plain_owner")
    told = run(owner, "plain").for_the_dba
    assert told == [
        'create schema "plain_bi" authorization "plain_owner";',
        'create role "plain_reader" nologin;',
        'create role "plain_writer" nologin;',
        'create role "plain_bi_reader" nologin;',
    ]
    mends = failing(owner, "plain")
    names = ("schema plain_bi", "role plain_reader", "role plain_writer", "role plain_bi_reader")
    for name, statement in zip(names, told, strict=True):
        assert mends[name] == f"Ask the DBA for: {statement} then run: pgaudience migrate"
        rows(fresh, statement)
    assert failing(owner, "plain")["schema plain_bi"] == "Run: pgaudience migrate"
    done = run(owner, "plain")
    assert (done.changed, done.for_the_dba) == (True, [])
    assert failing(owner, "plain").keys() == {"model", "user vectors"}
    assert not run(owner, "plain").changed


@pytest.mark.slow
def test_a_bi_schema_of_somebody_else(fresh: str) -> None:
    owner = make_conninfo(fresh, user="plain_owner", password="plain_owner")
    rows(fresh, "create schema plain_bi")
    told = run(owner, "plain").for_the_dba
    assert told[0] == 'grant create, usage on schema "plain_bi" to "plain_owner" with grant option;'
    for statement in told:
        rows(fresh, statement)
    run(owner, "plain")
    with connect(fresh) as connection:
        connection.execute("set role plain_reader")
        assert connection.execute("select count(*) from plain_bi.users").fetchone() == (0,)


def test_the_owner_does_it_all(power: Power, tmp_path: Path) -> None:
    load_rows(power.owner, tmp_path)
    embed_by_hand(power.owner)
    rows(power.owner, "update space set weighting = 'sqrt'")
    with connect(power.owner) as connection:
        create_indexes(connection, open_space(connection, SPACE), power.owner)
        refresh(connection)
    assert rows(power.owner, "select user_id from search_users('ski', k => 2)") == [("fay",), ("ann",)]
    assert rows(power.owner, "select user_id from power_bi.users where user_id = 'fay'") == [("fay",)]


def test_what_a_superuser_upgrades_stays_the_owners(power: Power) -> None:
    owners = """
        select distinct pg_get_userbyid(o.owner)
        from (
            select p.proowner as owner, p.pronamespace::regnamespace as schema from pg_proc p
            union all
            select c.relowner, c.relnamespace::regnamespace from pg_class c
        ) o
        where o.schema in ('power'::regnamespace, 'power_bi'::regnamespace)"""
    rows(power.dba, "update space set bundle_digest = 'another'")
    assert run(power.dba).changed
    assert rows(power.dba, owners) == [("power_owner",)]
    assert not run(power.owner).changed


def test_somebody_else_may_not_upgrade(power: Power) -> None:
    for url in (power.writer, power.nobody):
        with pytest.raises(PgaudienceError, match="'power' belongs to 'power_owner'"):
            run(url)


def test_an_analysts_view_does_not_stop_an_upgrade(power: Power) -> None:
    rows(power.dba, "grant create on schema power, power_bi to power_ann")
    for schema in ("power", "power_bi"):
        rows(power.reader, f"create view {schema}.my_report as select 1 as one")
    rows(power.owner, "update space set bundle_digest = 'another'")
    assert run(power.owner).changed
    assert rows(power.reader, "select count(*) from power_bi.users") == [(6,)]


# A reader


READS = [
    "select * from search_users('ski')",
    "select * from search_users(embed('ski') - embed('horror'), filter => '{\"country\": \"Spain\"}')",
    "select * from search_entries('ski')",
    "select * from similar_users('ann')",
    "select * from lookalikes(array['ann'], k => 2)",
    "select * from user_similarity(array['ann', 'bob'])",
    "select * from explain_match('ann', 'ski')",
    "select query_source('ski')",
    "select * from status",
    "select * from user_vectors order by embedding <=> (select embed('ski')) limit 2",
    "select * from power_bi.users",
    "select * from power_bi.entries",
    "select * from power_bi.status",
    "select count(*) from segment_members",
    "select count(*) from power_bi.segment_members",
    "select count(*) from power_bi.segment_history",
]
WRITES = [
    "insert into users (user_id) values ('mallory')",
    "insert into activity_input values ('mallory', 'Ski Aspen')",
    "delete from activity",
    "update entries set entry = 'nothing'",
    "truncate queries",
    "update space set weighting = 'sqrt'",
    "select request_embedding('chess')",
    "call embed_query('chess')",
    "insert into workers (backend_pid) values (1)",
    "call refresh()",
    "insert into segmentations (segmentation) values ('mallory')",
    "update segment_names set name = 'mallory'",
    "delete from segment_assignments",
]
DESTRUCTION = [
    "drop table users",
    "drop function embed(text)",
    "drop materialized view user_vectors",
    "create table mine (id int)",
    "alter table users disable trigger all",
    "truncate activity",
    "update space set model = 'tests:other'",
    "delete from space",
    "delete from installed_objects",
    "create view power_bi.mine as select 1",
]


def test_a_reader_reads(power: Power) -> None:
    for query in READS:
        assert rows(power.reader, query), query


def test_a_reader_does_nothing_else(power: Power) -> None:
    for statement in [*WRITES, *DESTRUCTION]:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            rows(power.reader, statement)


# A reader of the BI views


def test_a_bi_reader_reads_every_view(power: Power) -> None:
    rows(
        power.owner,
        "call build_segmentation('interests', k => 2); call save_audience('skiers', search => 'ski', size => 3)",
    )
    rows(power.owner, "call save_audience('all', filter => '{\"country\": \"France\"}')")
    views = [view for (view,) in rows(power.bi_reader, "select viewname from pg_views where schemaname = 'power_bi'")]
    assert len(views) > 20
    for view in views:
        query = sql.SQL("select * from {}").format(sql.Identifier("power_bi", view)).as_string()
        assert rows(power.bi_reader, query) == rows(power.owner, query), view
    assert rows(
        power.bi_reader, "select audience, meaning, stale from power_bi.audiences where audience = 'skiers'"
    ) == [("skiers", 'the best 3 of those who match "ski"', False)]


def test_what_the_views_hide_is_hidden_from_a_bi_reader(power: Power) -> None:
    rows(
        power.owner,
        "call build_segmentation('interests', k => 2); call save_audience('skiers', search => 'ski', size => 3)",
    )
    rows(power.owner, "update segmentations set suppress_below = 100; update audiences set suppress_below = 100")
    for view in ("segments", "segment_members", "segment_entries", "segment_grid", "audiences", "audience_members"):
        assert rows(power.bi_reader, f"select * from power_bi.{view}") == [], view


def test_a_bi_reader_does_nothing_else(power: Power) -> None:
    for statement in (
        "select * from power.users",
        "select * from power.segment_members",
        "select * from power.user_vectors",
        "select power.embed('ski')",
        "select power.audience_is_stale('skiers')",
        "select * from power.search_users('ski')",
        "insert into power.activity_input values ('mallory', 'Ski Aspen')",
        "create view power_bi.mine as select 1",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            rows(power.bi_reader, statement)


def test_a_bi_reader_still_reads_after_an_upgrade(power: Power) -> None:
    rows(power.owner, "update space set bundle_digest = 'another'")
    assert run(power.owner).changed
    assert rows(power.bi_reader, "select count(*) from power_bi.users") == [(6,)]


# A writer


def test_a_writer_loads_embeds_and_refreshes(power: Power, tmp_path: Path) -> None:
    load_rows(power.writer, tmp_path, "user_id,entry,frequency\nfay,Ski Aspen,4\ngus,Ski Zermatt,1\nann,Coffee Bar,9\n")
    embed_by_hand(power.writer)
    with connect(power.writer) as connection:
        open_space(connection, SPACE)
        refresh(connection)
    assert rows(power.writer, "select user_id from search_users('ski', k => 2)") == [("fay",), ("gus",)]
    assert rows(power.writer, "select entry, users from search_entries('Coffee Bar', k => 1)") == [("Coffee Bar", 3)]
    assert rows(power.writer, "select count(*) from loads where loaded_by = 'power_wes'") == [(1,)]


def test_a_writer_asks_and_decides(power: Power) -> None:
    assert rows(power.writer, "select request_embedding('chess')") == [("waiting",)]
    rows(power.writer, "update queries set embedding = '[0,0,1]' where query = 'chess'")
    assert rows(power.writer, "select query_source('chess')") == [("exact",)]
    rows(power.writer, "update space set weighting = 'binary'; call refresh()")
    assert rows(power.writer, "select weighting, stale from space, status") == [("binary", False)]


def test_a_writer_runs_a_worker(power: Power) -> None:
    with serving() as server:
        rows(power.owner, "update space set model = %s", server.model)
        worker = Worker(power.writer, [SPACE], poll=1, base_url=server.url)
        thread = threading.Thread(target=worker.run)
        thread.start()
        try:
            while rows(power.reader, "select workers from status") == [(0,)]:
                assert thread.is_alive()
            load = "insert into entries (entry) values ('Ski Zermatt')"
            rows(power.writer, load)
            rows(power.writer, "call embed_query('chess', timeout => '2 min')")
            rows(power.reader, "call embed_query('chess')")
        finally:
            worker.stop()
            thread.join(30)
    assert rows(power.writer, "select entries_pending, queries_waiting, workers from status") == [(0, 0, 0)]


def test_a_reader_runs_no_worker(power: Power) -> None:
    with pytest.raises(PgaudienceError, match="may not embed for the space 'power'") as caught:
        Worker(power.reader, [SPACE], poll=1, base_url=None).run()
    assert caught.value.hint == "Ask its owner for: grant power_writer to <this role>"


def test_a_writer_removes_people_and_what_they_did(power: Power) -> None:
    rows(power.writer, "delete from users where user_id = 'ann'")
    rows(power.writer, "delete from entries where entry = 'Coffee Bar'")
    left = "select count(*) from activity a where not exists (select from users u where u.user_key = a.user_key)" \
        " or not exists (select from entries e where e.entry_key = a.entry_key)"  # fmt: skip
    assert rows(power.writer, left) == [(0,)]


def test_a_writer_describes_and_names_segments(power: Power) -> None:
    rows(power.writer, (TESTS / "sql" / "fixture" / "segments.sql").read_text())
    assert rows(power.writer, "select kind from segment_drivers order by attribute") == [("number",), ("category",)]
    rows(power.writer, "call rename_segment('interests', 1, 'Skiers')")
    assert rows(power.reader, "select name from power_bi.segments where segment_id = 1") == [("Skiers",)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        rows(power.reader, "call rename_segment('interests', 1, 'Mallory')")
    rows(power.writer, "delete from segmentations")
    assert rows(power.writer, "select count(*) from segment_assignments") == [(0,)]


def test_a_writer_destroys_nothing(power: Power) -> None:
    for statement in DESTRUCTION:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            rows(power.writer, statement)


# Somebody without a role


def test_the_public_may_do_nothing(power: Power) -> None:
    forbidden = [f"select * from power.{table}" for table in ("users", "status", "user_vectors")]
    forbidden += ["select power.embed('ski')", "call power.refresh()", "select * from power_bi.users"]
    for statement in forbidden:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            rows(power.nobody, statement)
    assert failing(power.nobody) == {"space": 'Ask its owner for: grant "power_reader" to "power_nora";'}
    with connect(power.nobody) as connection, pytest.raises(PgaudienceError, match="may not read the space 'power'"):
        open_space(connection, SPACE)


def arrived(power: Power, user: str) -> list[tuple]:
    query = "select entry, frequency from activity join users using (user_key) join entries using (entry_key)"
    return rows(power.dba, f"{query} where user_id = %s", user)


def grant_input(power: Power) -> None:
    rows(power.dba, "grant usage on schema power to power_nora; grant insert on power.activity_input to power_nora")


def test_activity_arrives_with_nothing_but_insert(power: Power) -> None:
    grant_input(power)
    statement = "insert into power.activity_input values ('nora', 'Ski Aspen')"
    rows(power.nobody, statement)
    assert arrived(power, "nora") == [("Ski Aspen", 1)]
    for forbidden in ("select * from power.activity_input", f"{statement} returning *", "select * from power.users"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            rows(power.nobody, forbidden)


def test_a_writers_activity_arrives(power: Power) -> None:
    assert rows(power.writer, "insert into activity_input values ('wes', 'Rink', 2) returning user_id") == [("wes",)]
    assert arrived(power, "wes") == [("Rink", 2)]


def test_what_runs_as_its_owner_is_pinned_and_not_public(toy: str) -> None:
    query = """
        select p.proname, array(select c from unnest(p.proconfig) c where c like 'search_path=%'),
            has_function_privilege('public', p.oid, 'execute') as is_public
        from pg_proc p
        where p.pronamespace = 'audience'::regnamespace and p.prosecdef order by 1"""
    pinned = ["search_path=audience, public, pg_temp"]
    names = (
        "audience_is_stale",
        "delete_activity",
        "delete_assignments",
        "delete_members",
        "forget_user",
        "log_activity",
        "log_users",
        "log_vectors",
        "outdate_vectors",
        "record_attributes",
        "record_change",
        "refresh",
        "take_activity_input",
    )
    assert rows(toy, query, path="audience") == [(name, pinned, False) for name in names]


# Somebody hostile, who may search and refresh, and make whatever a session can


def hostile(url: str, *statements: str) -> list[tuple]:
    """What a search and a refresh show in a session that ran the statements first."""
    with connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())
        connection.execute("call power.refresh()")
        searches = ("power.search_users('ski')", "power.search_users('[1, 0, 0]'::public.vector)")
        found = [connection.execute(f"select user_id, score, matched_entries from {search}") for search in searches]
        return [row for cursor in found for row in cursor.fetchall()]


def test_temporary_tables_hijack_nothing(power: Power) -> None:
    tables = (
        "users",
        "space",
        "activity",
        "entries",
        "entry_vectors",
        "queries",
        "user_vectors",
        "changes",
        "entry_stats",
    )
    honest = hostile(power.writer)
    assert hostile(power.writer, *(f"create temp table {table} (like power.{table})" for table in tables)) == honest
    assert hostile(power.writer, "set search_path = pg_temp, power, public", *(
        f"create temp table {table} (like power.{table})" for table in tables)) == honest  # fmt: skip


EVIL = """
create function {schema}.{name} returns {returns} language plpgsql as $$
begin
    raise exception 'hijacked, running as %', current_user;
end
$$
"""


@pytest.mark.parametrize("schema", ["pg_temp", "public"])
def test_functions_of_others_hijack_nothing(power: Power, schema: str) -> None:
    """Those of pgvector and of the space, in the names that a careless body would find first."""
    rows(power.dba, "grant create on schema public to power_wes")
    honest = hostile(power.writer)
    evil = [
        EVIL.format(schema=schema, name=name, returns=returns)
        for name, returns in (
            ("l2_normalize(double precision[])", "double precision[]"),
            ("embed(text)", "public.vector"),
            ("entry_weight(double precision, text)", "double precision"),
            ("normalize_text(text)", "text"),
            ("nearest_users(public.vector, bigint, jsonb)", "bigint"),
        )
    ]
    if schema == "pg_temp":
        evil.append(EVIL.format(schema=schema, name="l2_normalize(public.vector)", returns="public.vector"))
    assert hostile(power.writer, *evil) == honest


def test_a_better_fitting_function_in_the_schema_of_pgvector(power: Power) -> None:
    """Nobody may create there unless a DBA grants it, as all did before PostgreSQL 15 and old databases still do."""
    rows(power.dba, "grant create on schema public to power_wes")
    evil = EVIL.format(schema="public", name="format(text, name, text)", returns="text")
    assert hostile(power.writer, evil) == hostile(power.writer)


def test_nothing_of_a_session_hijacks_what_arrives(power: Power) -> None:
    """Neither its temporary tables nor functions and operators, in the schema of pgvector, that fit better."""
    grant_input(power)
    rows(power.dba, "grant create on schema public to power_nora")
    evil = [
        EVIL.format(schema="public", name=name, returns=returns)
        for name, returns in (
            ("hashtextextended(text, integer)", "bigint"),
            ("join_name(a text, b name)", "text"),
            ("normalize_text(text)", "text"),
            ("concat(text, text)", "text"),
        )
    ]
    evil.append("create operator public.|| (function = public.join_name, leftarg = text, rightarg = name)")
    evil += [f"create temp table {table} (user_id text)" for table in ("input", "users", "entries", "activity_input")]
    with connect(power.nobody, autocommit=True) as connection:
        for statement in evil:
            connection.execute(statement.encode())
        connection.execute("insert into power.activity_input values ('nora', 'Ski Aspen', 2)")
    assert arrived(power, "nora") == [("Ski Aspen", 2)]


def test_policies_on_users_do_not_bind_what_stands_above(power: Power) -> None:
    """As docs/operations.md says."""
    with psycopg.connect(power.dba) as connection:
        connection.execute("alter table power.users enable row level security")
        connection.execute(
            'create policy france on power.users for select using (attributes @> \'{"country": "France"}\')'
        )
    assert rows(power.reader, "select user_id from users order by 1") == [("ann",), ("bob",)]
    assert len(rows(power.reader, "select user_id from user_vectors")) == 5
    assert ("cy",) in rows(power.reader, "select user_id from search_users('horror')")
