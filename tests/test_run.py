"""call run(): from tables to audiences, day by day, stopped and gone on with; people who are forgotten."""

from __future__ import annotations

import contextlib
import csv
import gzip
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from conftest import TESTS, connect
from pgaudience.errors import PgaudienceError
from pgaudience.loading.load import load
from pgaudience.loading.merge import Merged
from pgaudience.reading import Columns, Rejects, Source, open_source, read_users
from pgaudience.server import binary
from test_family import pair  # noqa: F401
from test_least_power import Power, power  # noqa: F401
from test_least_power import rows as rows_as
from test_sources import COMPARED, CUSTOMERS, TABLES, Shop, one, pairs, same

SETUP = """
create function public.vector_of(entry text) returns public.vector language sql immutable as
$$ select array[sin(hashtext(entry)), sin(hashtext(entry) * 7.1), 1.0]::public.vector $$
"""

# The toy model has no encoder: its vectors come from the text, as those of a worker would.
EMBED = """
insert into entry_vectors (entry_key, embedding)
select entry_key, l2_normalize(public.vector_of(entry)) from entries
on conflict (entry_key) do update set embedding = excluded.embedding, text_hash = null
"""

AUDIENCES = (
    "call save_audience('spain', filter => '{\"country\": \"Spain\"}')",
    "call save_audience('skiers', search => 'ski', size => 10, mode => 'mean')",
)


@pytest.fixture
def shop(space: str) -> Iterator[Shop]:
    with connect(space, autocommit=True) as connection:
        connection.execute(TABLES.encode())
        connection.execute(SETUP)
        connection.execute("insert into queries (query, embedding, embedded_at) values ('ski', '[1,0,0]', now())")
        shop = Shop(connection, random.Random(5))
        shop.fill()
        for statement in (COMPARED, CUSTOMERS, "call sync()", EMBED, "call refresh()"):
            connection.execute(statement.encode())
        connection.execute("call build_segmentation('tastes', k => 3)")
        for statement in AUDIENCES:
            connection.execute(statement.encode())
        yield shop


def change(shop: Shop) -> None:
    for _ in range(8):
        shop.order()
        shop.correct()
        shop.cancel()
    shop.add_customer()
    shop.order()
    for number in shop.chance.sample(list(shop.customers), 3):
        country = shop.chance.choice(("France", "Spain"))
        shop.customers[number] = (country, shop.customers[number][1])
        shop.connection.execute("update public.customers set country = %s where id = %s", [country, number])


def members(connection: psycopg.Connection, audience: str) -> set[str]:
    found = connection.execute("select user_id from audience_members where audience = %s", [audience]).fetchall()
    return {user for (user,) in found}


def moved(connection: psycopg.Connection, after: int) -> tuple[set[str], set[str]]:
    """Who entered and who left the audience of Spain since a change."""
    found = connection.execute(
        "select user_id, change from audience_changes where audience = 'spain' and change_id > %s", [after]
    ).fetchall()
    return {user for user, what in found if what == "entered"}, {user for user, what in found if what == "left"}


def steps(connection: psycopg.Connection) -> dict[str, tuple[dict, str | None]]:
    """The steps of the last run, in order, with what they did."""
    found = connection.execute(
        "select step, counts, fault from runs where run_id = (select max(run_id) from runs) order by started_at"
    ).fetchall()
    return {step: (counts, fault) for step, counts, fault in found}


def spain(shop: Shop) -> set[str]:
    return {str(number) for number, (country, _) in shop.customers.items() if country == "Spain"}


def url_of(connection: psycopg.Connection) -> str:
    return connection.info.dsn + f" password={connection.info.password}"


def test_from_tables_to_audiences_day_by_day(shop: Shop) -> None:
    connection = shop.connection
    for _ in range(4):
        before = spain(shop)
        assert members(connection, "spain") == before
        (after,) = one(connection, "select coalesce(max(change_id), 0) from audience_changes")
        change(shop)
        connection.execute("call run()")
        same(pairs(connection), shop.expected())
        entered, left = moved(connection, after)
        assert (entered, left) == (spain(shop) - before, before - spain(shop))
        done = steps(connection)
        assert list(done) == ["sync", "refresh", "segmentation tastes", "audiences"]
        assert all(fault is None for _, fault in done.values())
        assert done["sync"][0]["faults"] == 0 < done["sync"][0]["changes"]
        assert done["refresh"][0]["refreshed"]
        assert (
            done["segmentation tastes"][0]["run_id"] == one(connection, "select max(run_id) from segmentation_runs")[0]
        )
        assert done["audiences"][0]["entered"] >= len(entered)
        assert one(connection, "select count(*) from runs where seconds is null") == (0,)


def test_nothing_new_is_nothing_to_do(shop: Shop) -> None:
    connection = shop.connection
    connection.execute("call run()")
    connection.execute("call run()")
    done = steps(connection)
    assert done["sync"][0]["changes"] == 0 and not done["refresh"][0]["refreshed"]
    assert done["segmentation tastes"][0] == {"run_id": None, "users_moved": None, "published": None}
    assert done["audiences"][0]["refreshed"] == 0
    change(shop)
    connection.execute("call run(segmentations => false)")
    assert list(steps(connection)) == ["sync", "refresh", "audiences"]
    connection.execute("call run()")
    assert steps(connection)["segmentation tastes"][0]["run_id"] == 2


def test_a_step_that_cannot_be_done_does_not_keep_the_others(shop: Shop) -> None:
    connection = shop.connection
    connection.execute("update segmentation_runs set parameters = jsonb_set(parameters, '{k}', '100000')")
    change(shop)
    connection.execute("call run()")
    done = steps(connection)
    assert done["segmentation tastes"][1] is not None
    assert done["audiences"][0]["refreshed"] == 2
    assert members(connection, "spain") == spain(shop)


def test_a_run_needs_autocommit(shop: Shop) -> None:
    with (
        connect(url_of(shop.connection)) as connection,
        pytest.raises(psycopg.errors.ActiveSqlTransaction, match="commits each step"),
    ):
        connection.execute("call run()")


def test_a_run_that_is_killed_goes_on(shop: Shop) -> None:
    connection = shop.connection
    change(shop)
    started = time.monotonic()
    connection.execute("call run()")
    usual = time.monotonic() - started
    unfinished = 0
    for kill in range(10):
        change(shop)
        victim = connect(url_of(connection), autocommit=True)

        def work(victim: psycopg.Connection = victim) -> None:
            with contextlib.suppress(psycopg.Error):
                victim.execute("call run()")

        thread = threading.Thread(target=work)
        thread.start()
        time.sleep(usual * kill / 10)
        connection.execute("select pg_terminate_backend(%s)", [victim.info.backend_pid])
        thread.join()
        victim.close()
        unfinished += one(connection, "select count(*) from runs where finished_at is null")[0]
        connection.execute("delete from runs where finished_at is null")
    assert unfinished > 2
    connection.execute("call run()")
    same(pairs(connection), shop.expected())
    assert members(connection, "spain") == spain(shop)
    assert one(connection, "select stale from status") == (False,)
    replayed: set[str] = set()
    for user, what in connection.execute(
        "select user_id, change from audience_changes where audience = 'spain' order by change_id"
    ).fetchall():
        replayed ^= {user}
        assert (user in replayed) == (what == "entered")
    assert replayed == spain(shop)


def test_two_at_once_do_no_harm(shop: Shop) -> None:
    connection = shop.connection
    faults: list[BaseException] = []

    def running() -> None:
        try:
            with connect(url_of(connection), autocommit=True) as each:
                for _ in range(3):
                    each.execute("call run()")
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=running) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        change(shop)
    for thread in threads:
        thread.join()
    assert not faults
    connection.execute("call run()")
    same(pairs(connection), shop.expected())
    assert members(connection, "spain") == spain(shop)


@pytest.mark.slow
def test_tables_of_a_shop_become_audiences_in_sql_alone(space: str) -> None:
    """The script in examples/, against the same rows read in Python."""
    folder = TESTS.parent / "examples"
    script = [binary("psql"), "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--dbname", space, "--file"]
    done = subprocess.run([*script, "examples/orders.sql"], cwd=TESTS.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    expected: dict[tuple[str, str], float] = {}
    with gzip.open(folder / "retail.csv.gz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            key = row["user_id"], " ".join(row["entry"].split())
            expected[key] = expected.get(key, 0) + float(row["frequency"])
    with connect(space, autocommit=True) as connection:
        connection.execute(
            "call add_source('public.orders', user_column => 'customer', entry_column => 'product',"
            " frequency_column => 'quantity', cursor_column => 'updated_at')"
        )
        connection.execute("call add_source('public.customers', user_column => 'id', attributes => array['country'])")
        connection.execute("call save_audience('germany', filter => '{\"country\": \"Germany\"}')")
        connection.execute("call run()")
        assert {key: frequency for key, (frequency, _, _) in pairs(connection).items()} == expected
        assert one(connection, "select sum(rows_rejected) from sources") == (0,)
        german = "select array_agg(id order by id) from public.customers where country = 'Germany'"
        assert sorted(members(connection, "germany")) == one(connection, german)[0]
        connection.execute("update public.orders set updated_at = now() - id * interval '1 minute'")
        connection.execute("call sync(complete => true)")
        figures = "select rows_read, seconds from sources where source = 'public.orders'"
        complete, seconds = one(connection, figures)
        assert complete == one(connection, "select count(*) from public.orders")[0]
        assert seconds < 10
        print("complete:", complete, seconds)
        connection.execute("update public.orders set quantity = quantity + 1, updated_at = now() where id % 1000 = 0")
        connection.execute("call sync()")
        new, seconds = one(connection, figures)
        assert new < complete / 3
        print("by cursor:", new, seconds)


# Forgetting


def test_a_person_is_forgotten_everywhere(shop: Shop) -> None:
    connection = shop.connection
    connection.execute("insert into public.products values (77, 'what only two buys', 'tea')")
    connection.execute(
        "insert into public.lines (customer, product, qty, ordered_at) values (2, 1, 1, now()), (2, 77, 1, now())"
    )
    connection.execute("insert into activity_input values ('2', 'what only two does', 3), ('2', 'product 1', 1)")
    connection.execute("call run()")
    connection.execute("call save_audience('like two', like_users => array['2', '3'], size => 5)")
    connection.execute(
        "call save_audience('all', filter => '{}', min_entries => 1, any_of => array['spain', 'skiers'])"
    )
    connection.execute("insert into audience_judgements values ('spain', '2', true)")
    connection.execute("call open_cursor('spain', 'crm')")
    connection.execute("update public.customers set country = 'Spain' where id = 2")
    connection.execute("call run()")
    assert "2" in members(connection, "spain")
    traces = "select t.* from users u, user_traces(u.user_id, u.user_key) t where u.user_id = '2'"
    held = dict(connection.execute(traces).fetchall())
    (key,) = one(connection, "select user_key from users where user_id = '2'")
    (receipt,) = one(connection, "call forget_user('2')")
    assert receipt["rows"] == {**held, "entries": 2}
    assert {"audience.users", "audience.activity", "audience.source_activity", "audience.user_vectors",
            "audience.audience_members", "audience.audience_judgements", "audience.segment_assignments",
            } <= held.keys()  # fmt: skip
    assert receipt["copies"] == ["audience: crm of spain"]
    assert connection.execute("select * from user_traces('2', %s)", [key]).fetchall() == []
    assert one(connection, "select count(*) from entries where entry = 'what only two does'") == (0,)
    assert one(connection, "select definition -> 'like_users' from audiences where audience = 'like two'") == (["3"],)
    assert "'2'" not in str(receipt)
    connection.execute("call run()")
    connection.execute("call sync(complete => true)")
    assert connection.execute("select * from user_traces('2', %s)", [key]).fetchall() == []
    assert one(connection, "select count(*) from users where user_id = '2'") == (0,)
    assert one(connection, "select count(*) from entries where entry ~ 'only two'") == (0,)
    reasons = dict(connection.execute("select source, reason from source_rejects").fetchall())
    assert reasons == {"lines": "a user who was forgotten", "public.customers": "a user who was forgotten"}
    connection.execute("delete from forgotten_users where user_hash = user_hash('2')")
    connection.execute("call sync()")
    assert one(connection, "select count(*) from users where user_id = '2'") == (1,)


def load_as(url: str, file: Path, users: Path) -> Merged:
    with connect(url) as connection, Rejects() as rejects:
        source = open_source(file, format=None, columns=Columns(attributes=("country",)), rejects=rejects)
        return load(connection, [source], users=read_users(users, None, None, rejects))


def test_a_load_does_not_bring_back_who_was_forgotten(space: str, tmp_path: Path) -> None:
    file, users = tmp_path / "rows.csv", tmp_path / "users.csv"
    file.write_text("user_id,entry,country\nann,tea,UK\n ann ,what ann does,UK\nbob,tea,FR\nann\u00a0,cake,UK\n")
    users.write_text("user_id,age\nann,30\nbob,40\n")
    load_as(space, file, users)
    with connect(space, autocommit=True) as connection:
        connection.execute("call forget_user('ann')")
        merged = load_as(space, file, users)
        assert (merged.forgotten, merged.new_users, merged.new_entries) == (4, 0, 0)
        assert one(connection, "select array_agg(user_id), min(attributes ->> 'age') from users") == (["bob"], "40")
        assert one(connection, "select array_agg(entry) from entries") == (["tea"],)
        assert one(connection, "select rows_left_out from forgotten_users") == (4,)
        assert one(connection, "select rows_rejected from loads order by load_key desc limit 1") == (3,)
        connection.execute("delete from forgotten_users where user_hash = user_hash('ann')")
        merged = load_as(space, file, users)
        assert (merged.forgotten, merged.new_users, merged.new_entries) == (0, 1, 2)


def test_who_is_forgotten_while_a_load_reads_does_not_come_back(space: str, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("user_id,entry\nann,tea\nbob,tea\n")

    class Slow:
        """A source during whose reading a person is forgotten."""

        def __init__(self, source: Source, connection: psycopg.Connection) -> None:
            self._source, self._connection = source, connection

        def __getattr__(self, name: str) -> object:
            return getattr(self._source, name)

        def chunks(self) -> Iterator[object]:
            yield from self._source.chunks()
            self._connection.execute("call forget_user('ann')")

    with connect(space, autocommit=True) as other, connect(space) as connection, Rejects() as rejects:
        source = open_source(file, format=None, columns=Columns(), rejects=rejects)
        with pytest.raises(PgaudienceError, match="forgotten while this load was reading"):
            load(connection, [Slow(source, other)])  # type: ignore[list-item]
        connection.rollback()
        assert one(other, "select count(*) from users") == (0,)


def test_what_arrives_by_itself_does_not_bring_back_who_was_forgotten(space: str) -> None:
    warnings: list[str] = []
    with connect(space, autocommit=True) as connection:
        connection.add_notice_handler(lambda notice: warnings.append(notice.message_primary or ""))
        connection.execute("insert into activity_input values ('ann', 'tea', 1), ('bob', 'tea', 1)")
        connection.execute("call forget_user('ann')")
        connection.execute(
            "insert into activity_input values (' ann', 'what ann does', 1), ('ann', 'tea', 2), ('bob', 'tea', 1)"
        )
        assert warnings == ["2 rows of users who were forgotten were left out"]
        assert one(connection, "select array_agg(user_id) from users") == (["bob"],)
        assert one(connection, "select array_agg(entry) from entries") == (["tea"],)
        assert one(connection, "select sum(frequency) from activity") == (2,)
        assert one(connection, "select rows_left_out from forgotten_users") == (2,)
        connection.execute("delete from forgotten_users where user_hash = user_hash('ann')")
        connection.execute("insert into activity_input values ('ann', 'tea', 1)")
        assert one(connection, "select count(*) from users") == (2,)


def test_an_audience_whose_last_example_is_forgotten_says_so(shop: Shop) -> None:
    connection = shop.connection
    connection.execute("call save_audience('like two', like_users => array['2'], size => 5)")
    had = members(connection, "like two")
    assert len(had) == 5
    connection.execute("call forget_user('2')")
    connection.execute("call run()")
    assert one(connection, "select fault, meaning from audience_bi.audiences where audience = 'like two'") == (
        "all of like_users were forgotten", "the best 5 of those like users who were forgotten",
    )  # fmt: skip
    assert members(connection, "like two") == had
    connection.execute("call save_audience('like two', like_users => array['3'], size => 5)")
    assert one(connection, "select fault from audiences where audience = 'like two'") == (None,)


def test_a_person_is_forgotten_in_the_whole_family(pair: str) -> None:  # noqa: F811
    with connect(pair, "taste", autocommit=True) as connection:
        connection.execute("call save_audience('all', segmentation => 'taste', segments => array[1, 2])")
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="are those of audience"):
            connection.execute("call forget_user('ann')")
    with connect(pair, autocommit=True) as connection:
        (receipt,) = one(connection, "call forget_user(' ann ')")
        assert {"taste.segment_assignments", "taste.audience_members", "taste.user_vectors"} <= receipt["rows"].keys()
        assert one(connection, "select count(*) from taste.user_vectors where user_id = 'ann'") == (0,)
        assert one(connection, "select count(*) from taste.audience_changes where user_id = 'ann'") == (0,)
        (again,) = one(connection, "call forget_user('ann')")
        assert again["rows"] == {}


def test_a_writer_forgets_and_runs(power: Power) -> None:  # noqa: F811
    rows_as(power.writer, "call run()")
    assert rows_as(power.reader, "select distinct run_by from runs") == [("power_wes",)]
    assert rows_as(power.writer, "call forget_user('ann')")[0][0]["rows"]["power.users"] == 1
    assert rows_as(power.reader, "select count(*) from users where user_id = 'ann'") == [(0,)]
    for statement in ("call run()", "call forget_user('bob')", "delete from forgotten_users"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            rows_as(power.reader, statement)
