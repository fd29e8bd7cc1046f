"""Spaces over the people of another one: made, loaded, refreshed, upgraded, dumped, and what they refuse."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from catalog import definitions, objects
from conftest import TOY_MODEL, Cluster, _fill_toy, connect
from pgaudience import resources
from pgaudience.checking import run_checks
from pgaudience.database import Space, open_space
from pgaudience.errors import PgaudienceError
from pgaudience.installing import Migration, migrate
from pgaudience.loading.load import load
from pgaudience.pipeline import catch_up
from pgaudience.reading import Columns, Rejects, open_source
from test_dump_restore import dump, restore

# Roles belong to the whole server: one worker does them all.
pytestmark = [pytest.mark.slow, pytest.mark.turns("family")]

TASTE = ("tests:taste", 2)

# Another model's view of the toy entries: what is had by day, and what by night.
FILL = """
insert into entry_vectors (entry_key, embedding)
select entry_key, case when entry ~ 'Horror|Haunted|Coffee' then '[0, 1]'::vector else '[1, 0]' end
from entries
where entry <> 'Not Embedded Yet';
insert into queries (query, embedding, embedded_at) values ('ski', '[1, 0]', now());
call refresh();
call build_segmentation('taste', k => 2);
"""


def derive(url: str, schema: str = "taste", of: str | None = "audience", model: tuple[str, int] = TASTE) -> Migration:
    return migrate(url, schema, model=None, weighting=None, of=of, measure=lambda _: model)


def rows(url: str, query: str, schema: str = "taste") -> list[tuple]:
    with connect(url, schema, autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def stale(url: str, schema: str = "taste") -> bool:
    return rows(url, "select stale from status", schema)[0][0]


def content(url: str) -> dict[str, list[tuple]]:
    """What people see of the derived space."""
    queries = {
        "users": "select user_id, attributes from users order by user_key",
        "entries": "select entry from entries order by entry_key",
        "activity": "select * from activity order by user_key, entry_key",
        "sessions": "select user_id, session_id, entries from session_vectors order by 1, 2",
        "vectors": "select user_id, embedding::text from user_vectors order by user_id",
        "search": "select user_id, score from search_users('ski', mode => 'mean')",
        "segments": "select * from segments order by segment_id",
        "members": "select * from segment_members order by user_id",
        "status": "select entries, users, users_with_vector, stale from status",
        "reports": "select user_id, frequency from taste_bi.users order by user_id",
    }
    return {name: rows(url, query) for name, query in queries.items()}


def fill_pair(url: str) -> None:
    _fill_toy(url)
    derive(url)
    rows(url, "insert into sessions select user_key, '1', array_agg(entry_key) from activity group by 1", "audience")
    with connect(url, "taste", autocommit=True) as connection:
        for statement in FILL.split(";\n"):
            if statement.strip():
                connection.execute(statement.encode())


@pytest.fixture
def pair(cluster: Cluster) -> str:
    """The toy space `audience`, and `taste` over its people."""
    return cluster.clone("pair", fill_pair)


def test_it_shares_people_and_has_vectors_of_its_own(pair: str) -> None:
    assert rows(pair, "select user_id from users order by 1") == rows(
        pair, "select user_id from users order by 1", "audience"
    )
    assert rows(pair, "select sum(frequency) from activity") == rows(
        pair, "select sum(frequency) from activity", "audience"
    )
    query = "select distinct vector_dims(embedding), count(*) from user_vectors group by 1"
    assert rows(pair, query) == [(2, 5)]
    assert rows(pair, query, "audience") == [(3, 5)]
    assert rows(pair, "select count(*) from segments") == [(2,)]
    assert rows(pair, "select count(*) from segments", "audience") == [(0,)]
    assert rows(pair, "select space from derived_spaces", "audience") == [("taste",)]
    assert rows(pair, "select space from derived_spaces") == []
    with connect(pair) as connection:
        assert open_space(connection, "taste") == Space("taste", *TASTE, base="audience")


def test_everything_in_it_has_a_comment(pair: str) -> None:
    found = definitions(pair, "taste")
    assert [name for kind, name, _, _, comment in found if kind in ("relation v", "function") and not comment] == []
    columns = [(name, comment) for kind, name, _, _, comment in found if kind == "column"]
    assert ("users.user_id", "The id your own systems use.") in columns


def test_a_second_migration_changes_nothing(pair: str) -> None:
    before = objects(pair, "taste") + objects(pair, "audience")
    for schema in ("taste", "audience"):
        done = migrate(pair, schema, model=None, weighting=None, measure=lambda _: TASTE)
        assert [done.changed, *(each.changed for each in done.relatives)] == [False, False]
    assert not derive(pair).changed
    assert objects(pair, "taste") + objects(pair, "audience") == before


# What happens to the people


def test_a_load_into_the_base_makes_it_stale(pair: str, tmp_path: Path) -> None:
    assert not stale(pair)
    (tmp_path / "rows.csv").write_text("user,entry,frequency\nzoe,Coffee Bar,3\n")
    with connect(pair) as connection, Rejects() as rejects:
        open_space(connection, "audience")
        with open_source(tmp_path / "rows.csv", format=None, columns=Columns(), rejects=rejects) as source:
            load(connection, [source], mode="add")
    assert (stale(pair), stale(pair, "audience")) == (True, True)
    rows(pair, "call refresh()")
    assert (stale(pair), stale(pair, "audience")) == (False, True)
    assert ("zoe",) in rows(pair, "select user_id from user_vectors")


def test_vectors_of_the_base_do_not(pair: str) -> None:
    rows(pair, "delete from entry_vectors where entry_key = 1", "audience")
    assert (stale(pair), stale(pair, "audience")) == (False, True)


def test_a_family_catches_up(pair: str) -> None:
    rows(pair, "insert into activity_input values ('zoe', 'Coffee Bar', 3)", "audience")
    rows(pair, "update space set weighting = 'sqrt'")
    rows(pair, "delete from entries where entry = 'Not Embedded Yet'", "audience")
    with connect(pair) as connection:
        catch_up(connection, open_space(connection, "taste"), None)
    assert (stale(pair), stale(pair, "audience")) == (False, False)


def test_a_user_who_is_deleted_leaves_it(pair: str) -> None:
    assert rows(pair, "select count(*) from segment_members where user_id = 'ann'") == [(1,)]
    rows(pair, "delete from users where user_id = 'ann'", "audience")
    assert stale(pair)
    assert rows(pair, "select count(*) from segment_assignments a where not exists"
                      " (select from users u where u.user_key = a.user_key)") == [(0,)]  # fmt: skip
    assert rows(pair, "select count(*) from segment_changes where user_id = 'ann'") == [(0,)]


def test_an_entry_that_is_deleted_leaves_it(pair: str) -> None:
    rows(pair, "delete from entries where entry = 'Coffee Bar'", "audience")
    assert rows(pair, "select count(*) from entry_vectors") == [(6,)]


def test_workers_of_it_hear_of_new_entries(pair: str) -> None:
    with connect(pair, autocommit=True) as heard:
        heard.execute("listen pgaudience_taste")
        rows(pair, "insert into activity_input values ('zoe', 'Tea House', 3)", "audience")
        assert [each.channel for each in heard.notifies(timeout=5, stop_after=1)] == ["pgaudience_taste"]


def test_nothing_is_loaded_into_it(pair: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("user,entry\nzoe,Coffee Bar\n")
    with connect(pair) as connection, Rejects() as rejects:
        open_space(connection, "taste")
        with (
            open_source(tmp_path / "rows.csv", format=None, columns=Columns(), rejects=rejects) as source,
            pytest.raises(PgaudienceError, match="has the people of 'audience'") as refused,
        ):
            load(connection, [source])
    assert refused.value.hint is not None
    assert "pgaudience --schema audience load" in refused.value.hint
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="those of audience"):
        rows(pair, "insert into activity_input values ('zoe', 'Coffee Bar', 3)")


# What cannot be made


@pytest.mark.parametrize(
    ("schema", "of", "message"),
    [
        ("other", "nowhere", "there is no space 'nowhere'"),
        ("audience", "audience", "cannot be made of its own people"),
        ("audience", "taste", "cannot be made of its own people"),
        ("taste", "lone", "those of 'audience', not those of 'lone'"),
        ("lone", "audience", "its own, not those of 'audience'"),
    ],
)
def test_people_that_cannot_be_shared(pair: str, schema: str, of: str, message: str) -> None:
    migrate(pair, "lone", model=None, weighting=None, measure=lambda _: TOY_MODEL)
    before = objects(pair, "taste") + objects(pair, "audience") + objects(pair, "lone")
    with pytest.raises(PgaudienceError, match=message):
        derive(pair, schema, of)
    assert objects(pair, "taste") + objects(pair, "audience") + objects(pair, "lone") == before
    assert rows(pair, "select to_regnamespace('other')") == [(None,)]


def test_of_a_derived_space_means_of_its_base(pair: str) -> None:
    assert derive(pair, "third", "taste").space == Space("third", *TASTE, base="audience")
    assert rows(pair, "select space from derived_spaces", "audience") == [("taste",), ("third",)]


def test_odd_names(toy: str) -> None:
    migrate(toy, 'the"base', model=None, weighting=None, measure=lambda _: TOY_MODEL)
    derive(toy, "My-Taste", 'the"base')
    rows(toy, "insert into activity_input values ('ann', 'Tea', 3)", '"the""base"')
    assert rows(toy, "select user_id, stale from users cross join status", '"My-Taste"') == [("ann", True)]


def test_a_base_that_is_gone(pair: str) -> None:
    with connect(pair, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.DependentObjectsStillExist, match="cannot drop"):
            connection.execute("drop table audience.users")
        connection.execute("drop schema audience cascade")
        with pytest.raises(
            PgaudienceError, match="people of the space 'taste' are gone: they were those of 'audience'"
        ):
            open_space(connection, "taste")
        failing = {check.name: check.mend for check in run_checks(connection, "taste") if not check.ok}
        assert "pgaudience --schema taste migrate" in failing["base"]
    with pytest.raises(PgaudienceError, match="those of 'audience', which does not exist any more"):
        migrate(pair, "taste", model=None, weighting=None, measure=lambda _: TASTE)


def test_a_derived_space_that_is_gone(pair: str) -> None:
    rows(pair, "drop schema taste cascade", "audience")
    rows(pair, "insert into activity_input values ('zoe', 'Tea House', 3)", "audience")
    rows(pair, "delete from users where user_id = 'ann'", "audience")
    assert rows(pair, "select count(*) from derived_spaces", "audience") == [(0,)]
    assert not migrate(pair, "audience", model=None, weighting=None, measure=lambda _: TOY_MODEL).changed


# Upgrades, dumps


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another release, whose sql/ and migrations/ a test may change."""
    for name in ("sql", "migrations"):
        shutil.copytree(resources.folder(name), tmp_path / "package" / name)
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "package")
    return tmp_path / "package"


NEXT_RELEASE = '''"""A column among the people, of another type."""

from alembic import context, op

revision = "next"
down_revision = "{newest}"


def upgrade() -> None:
    if context.config.attributes["base"] is None:
        op.execute("alter table users add column email text")
        op.execute("comment on column users.email is 'Where to write to.'")
        op.execute("alter table activity alter column frequency type numeric")
'''


@pytest.mark.parametrize("asked", ["audience", "taste"])
def test_an_upgrade_takes_the_whole_family(pair: str, package: Path, asked: str) -> None:
    before = content(pair)
    newest = max(path.name[:4] for path in (package / "migrations" / "versions").glob("0*.py"))
    (package / "migrations" / "versions" / "next.py").write_text(NEXT_RELEASE.format(newest=newest))
    rows(pair, "create index mine on user_vectors (user_id)")

    done = migrate(pair, asked, model=None, weighting=None, measure=lambda _: TOY_MODEL)
    assert {each.space.schema: each.changed for each in (done, *done.relatives)} == {"audience": True, "taste": True}
    assert done.space.schema == asked
    for schema in ("audience", "taste"):
        assert rows(pair, "select version_num from alembic_version", schema) == [("next",)]
        assert rows(pair, "select email from users where user_id = 'ann'", schema) == [(None,)]
    assert rows(pair, "select count(*) from pg_indexes where indexname = 'mine'") == [(1,)]
    assert content(pair) == before
    assert not migrate(pair, asked, model=None, weighting=None, measure=lambda _: TOY_MODEL).changed


def test_an_upgrade_of_functions_keeps_what_is_computed(pair: str, package: Path) -> None:
    (package / "sql" / "vectors" / "scale.sql").write_text(
        (package / "sql" / "vectors" / "scale.sql").read_text().replace("Scalar times vector", "Vector times scalar")
    )
    files = "select pg_relation_filenode('entry_stats')"
    before = rows(pair, files), content(pair)
    done = migrate(pair, "audience", model=None, weighting=None, measure=lambda _: TOY_MODEL)
    assert [done.changed, *(each.changed for each in done.relatives)] == [True, True]
    assert (rows(pair, files), content(pair)) == before


def test_dump_and_restore(pair: str, cluster: Cluster, tmp_path: Path) -> None:
    dump(pair, cluster.major, tmp_path / "dump")
    fresh = cluster.clone("bare", lambda _: None)
    restore(fresh, cluster.major, tmp_path / "dump")
    assert content(fresh) == content(pair)
    for schema in ("audience", "taste"):
        assert definitions(fresh, schema) == definitions(pair, schema)
        assert not migrate(fresh, schema, model=None, weighting=None, measure=lambda _: TOY_MODEL).changed
    rows(fresh, "insert into activity_input values ('zoe', 'Coffee Bar', 3)", "audience")
    assert stale(fresh)


# Rights


@pytest.fixture
def logins(cluster: Cluster) -> Iterator[list[str]]:
    names = ["family_owner", "family_other", "family_reader", "family_writer"]
    for name in names:
        cluster.execute("create role {} login password 'family'", name)
    yield names
    for name in names:
        cluster.execute("drop role {}", name)


def test_only_the_owner_of_the_base_makes_a_space_over_it(cluster: Cluster, database: str, logins: list[str]) -> None:
    name = str(conninfo_to_dict(database)["dbname"])
    cluster.execute("grant create on database {} to family_owner, family_other", name)
    owner, other = (make_conninfo(database, user=login, password="family") for login in logins[:2])
    migrate(owner, "audience", model=None, weighting=None, measure=lambda _: TOY_MODEL)
    with pytest.raises(PgaudienceError, match="the space 'audience' belongs to 'family_owner'"):
        derive(other)
    derive(database)
    owners = "select distinct pg_get_userbyid(relowner) from pg_class where relnamespace = 'taste'::regnamespace"
    assert rows(database, owners) == [("family_owner",)]
    cluster.execute("drop database {} with (force)", name)


def test_what_readers_and_writers_may(cluster: Cluster, pair: str, logins: list[str]) -> None:
    name = str(conninfo_to_dict(pair)["dbname"])
    rows(pair, "grant taste_reader to family_reader; grant taste_writer to family_writer")
    reader, writer = (make_conninfo(pair, user=login, password="family") for login in logins[2:])
    assert rows(reader, "select count(*) from users") == [(6,)]
    assert len(rows(reader, "select * from search_users('ski')")) == 5
    rows(writer, "delete from entry_vectors where entry_key = 1; call refresh()")
    assert rows(writer, "select entry_key from entries where entry_key = 1 for no key update") == [(1,)]
    for statement in ("delete from users", "update entries set entry = 'x'", "update activity set frequency = 1"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            rows(writer, statement)
    cluster.execute("drop database {} with (force)", name)
