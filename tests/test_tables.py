"""Spaces with tables in place of materialized views: a refresh computes what has changed, and that is all that has."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psycopg
import pytest

from conftest import TOY_MODEL, Cluster, connect, migrate_toy
from pgaudience.checking import Check, run_checks
from pgaudience.database import open_space
from pgaudience.errors import PgaudienceError
from pgaudience.indexing import create_indexes
from pgaudience.installing import Materialization, migrate
from pgaudience.refresh import refresh
from test_best import add_activity, add_entries
from test_dump_restore import dump, restore
from test_refresh import INDEXES, VIEWS, written

USERS, ENTRIES, DIMENSIONS, EACH = 400, 80, 3, 6

KINDS = "select relname, relkind from pg_class where relnamespace = 'audience'::regnamespace and relname = any (%s)"

# By relation, its key and the columns that are to be as the live view has them.
COPIES = {
    "entry_stats": ("entry_key", ("users", "frequency", "idf")),
    "entry_lengths": ("user_key", ("length",)),
    "user_vectors": ("user_key", ("entries", "frequency", "coverage", "weight", "embedding")),
    "centered_user_vectors": ("user_key", ("embedding",)),
    "entry_sample": ("entry_key", ("embedding",)),
    "user_sample": ("user_key", ("users", "embedding")),
}

# The postings that a search reads, wherever they are, against those of its definition.
POSTINGS = """
with kept as (
    select u.user_key, o.entry_key, u.strength
    from entry_postings o
    cross join lateral unnest(o.user_keys, o.strengths) u (user_key, strength)
    where u.user_key not in (select l.user_key from late_users l)
    union all
    select l.user_key, l.entry_key, l.strength from late_postings l
)
select count(*)
from kept k
full join user_postings_live l using (user_key, entry_key)
where abs(k.strength - l.strength) <= 1e-6 is not true
"""


def materialize(url: str, materialization: Materialization, schema: str = "audience") -> bool:
    done = migrate(
        url, schema, model=None, weighting=None, materialization=materialization, measure=lambda _: TOY_MODEL
    )
    return done.changed


def differences(connection: psycopg.Connection) -> dict[str, int]:
    """Count the rows of each relation that are not as its live view has them, to the sixth digit."""
    found = {}
    for relation, (key, columns) in COPIES.items():
        same = " and ".join(
            f"c.{column} <-> l.{column} <= 1e-6"
            if column == "embedding"
            else f"abs(c.{column} - l.{column}) <= 1e-6 * greatest(abs(l.{column}), 1)"
            for column in columns
        )
        query = (
            f"select count(*) from {relation} c full join {relation}_live l using ({key}) where ({same}) is not true"
        )
        found[relation] = (connection.execute(query.encode()).fetchone() or (0,))[0]
    ids = "select count(*) from user_vectors v full join user_vectors_live l using (user_key, user_id)"
    found["ids"] = (connection.execute(f"{ids} where v is null or l is null").fetchone() or (0,))[0]
    found["entry_postings"] = (connection.execute(POSTINGS).fetchone() or (0,))[0]
    return {relation: rows for relation, rows in found.items() if rows}


def fill(url: str) -> None:
    """Add users with a few entries each, of which some are common and some have no vector."""
    random = np.random.default_rng(0)
    with connect(url) as connection:
        add_entries(connection, random.normal(size=(ENTRIES, DIMENSIONS)))
        popular = ENTRIES * random.random((USERS, EACH)) ** 2
        add_activity(
            connection,
            [
                (f"u{user}", entry, float(random.integers(1, 30)))
                for user, entries in enumerate(popular)
                for entry in {int(entry) + 1 for entry in entries}
            ],
        )
        connection.execute("delete from entry_vectors where entry_key % 9 = 0")
        connection.commit()
        connection.execute("analyze")
        refresh(connection)


def _make(url: str) -> None:
    migrate_toy(url)
    fill(url)
    materialize(url, "tables")


@pytest.fixture
def tables(cluster: Cluster) -> str:
    """A space of 400 users with tables."""
    return cluster.clone("tables", _make)


def notices(connection: psycopg.Connection) -> list[str]:
    said: list[str] = []
    connection.add_notice_handler(lambda notice: said.append(notice.message_primary or ""))
    return said


def test_a_refresh_writes_those_who_have_changed(tables: str) -> None:
    with connect(tables) as connection:
        said = notices(connection)
        kinds = dict(connection.execute(KINDS, [list(VIEWS)]).fetchall())
        assert set(kinds.values()) in ({"r"}, {b"r"})
        assert not any(written(connection).values())
        connection.execute("update activity set frequency = frequency + 1 where user_key = 7")
        changed = written(connection)
        assert differences(connection) == {}
    assert changed["user_vectors"] == changed["centered_user_vectors"] == changed["entry_lengths"] == 1
    assert 0 < changed["entry_stats"] <= EACH
    assert changed["entry_postings"] == changed["entry_sample"] == 0
    assert said == []


def test_lengths_follow_an_idf_when_it_has_moved(tables: str) -> None:
    """A user more does not change how long all others are who have that entry."""
    common = "select entry_key from entry_stats order by users desc, entry_key limit 1"
    add = f"""insert into activity (user_key, entry_key, frequency)
        select user_key, ({common}), 3 from users
        where user_key not in (select user_key from activity where entry_key = ({common})) order by user_key limit %s"""
    settled = f"select idf = settled_idf from entry_stats where entry_key = ({common})"
    with connect(tables) as connection:
        assert not any(written(connection).values())
        users = connection.execute(add.encode(), [1]).rowcount
        changed = written(connection)
        assert changed["entry_lengths"] == users
        assert connection.execute(settled.encode()).fetchone() == (False,)
        assert differences(connection) == {}
        users = connection.execute(add.encode(), [30]).rowcount
        changed = written(connection)
        assert changed["entry_lengths"] > 100 > users
        assert connection.execute(settled.encode()).fetchone() == (True,)
        assert differences(connection) == {}


COSINES = """
with weights as (
    select
        a.user_key,
        a.entry_key,
        ln(1 + a.frequency) * ln(n.users / count(*) over (partition by a.entry_key)) as weight
    from activity a
    cross join (select count(*)::double precision as users from users) n
),
lengths as (
    select w.user_key, sqrt(sum(w.weight ^ 2)) as length from weights w group by w.user_key
),
products as (
    select o.user_key, sum(o.weight * w.weight) as product
    from weights w
    join weights o using (entry_key)
    where w.user_key = %(key)s and o.user_key <> w.user_key
    group by o.user_key
)
select u.user_id, coalesce(p.product / (l.length * m.length), 0)
from lengths l
join users u using (user_key)
join lengths m on m.user_key = %(key)s
left join products p on p.user_key = l.user_key
where l.user_key <> m.user_key
"""


def test_users_are_compared_by_the_idf_of_now(tables: str) -> None:
    """Also where the lengths that are kept go by a former one."""
    add = """insert into activity (user_key, entry_key, frequency)
        select u.user_key, e.entry_key, 2 from users u join entries e on e.entry_key <= 12 and e.entry_key %% 3 = %s
        where u.user_key %% 100 = %s on conflict do nothing"""
    with connect(tables) as connection:
        off = 0.0
        for change in range(6):
            connection.execute(add, [change % 3, change])
            connection.execute("call refresh()")
            (moved,) = connection.execute("select max(abs(idf / settled_idf - 1)) from entry_stats").fetchone() or (0,)
            off = max(off, float(moved))
            assert moved <= 0.05 + 1e-9
            for user in ("u3", "u200", "u399"):
                keys = connection.execute("select user_key from users where user_id = %s", [user]).fetchone()
                cosines = dict(connection.execute(COSINES, {"key": keys and keys[0]}).fetchall())
                alike = "select user_id, similarity from similar_users(%s, k => %s, by => %s)"
                vectors = dict(connection.execute(alike, [user, 500, "vector"]).fetchall())
                both = {other: (vectors[other] + 2 * cosines[other]) / 3 for other in vectors}
                for by, expected in (("entries", cosines), ("both", both)):
                    for k in (1, 7, 500):
                        found = connection.execute(alike, [user, k, by]).fetchall()
                        best = sorted(expected.values(), reverse=True)[:k]
                        np.testing.assert_allclose([similarity for _, similarity in found], best, atol=1e-6)
                        np.testing.assert_allclose([expected[other] for other, _ in found], best, atol=1e-6)
        assert off > 0.01


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("update space set weighting = 'sqrt'", "a policy has changed"),
        ("update space set half_life = '90 days'", "a policy has changed"),
        ("update activity set frequency = frequency + 1", "much has changed"),
        ("update activity set frequency = 2 where user_key % 5 = 0", "much has changed"),
        ("truncate activity", "much has changed"),
        ("delete from entry_vectors where entry_key < 9", "much has changed"),
        ("insert into given_user_vectors values (7, '[1, 0, 0]')", "vectors of users are not made of entries alone"),
    ],
)
def test_what_changes_many_is_computed_as_a_whole(tables: str, statement: str, why: str) -> None:
    with connect(tables) as connection:
        said = notices(connection)
        connection.execute(statement.encode())
        refresh(connection)
        assert said == [f"refreshing everything: {why}"]
        assert differences(connection) == {}


def test_all_fades_when_a_twentieth_of_the_half_life_has_gone_by(tables: str) -> None:
    with connect(tables) as connection:
        connection.execute(
            "update activity set last_at = now() - entry_key * interval '3 days' where entry_key % 5 > 0"
        )
        connection.execute("update space set half_life = '40 days'")
        refresh(connection)
        said = notices(connection)
        more = "update activity set frequency = frequency + 1, last_at = now() where user_key = 7"
        connection.execute(more)
        assert written(connection)["user_vectors"] == 1
        assert differences(connection) == {}
        assert said == []
        connection.execute(more)
        connection.execute("update space set weighted_at = weighted_at - interval '2 days'")
        assert written(connection)["user_vectors"] > 100
        assert differences(connection) == {}
        assert said == ["refreshing everything: everything has faded, by space.half_life"]


# What may happen to a few users: all of it is SQL that somebody could run.
CHANGES: dict[str, str] = {
    "more of the same": "update activity set frequency = frequency + 3.7 where user_key = %(user)s",
    "something else": "insert into activity (user_key, entry_key, frequency) select u.user_key, e.entry_key, %(n)s"
    " from users u cross join entries e where u.user_key = %(user)s and e.entry_key = %(entry)s"
    " on conflict (user_key, entry_key) do update set frequency = activity.frequency + excluded.frequency",
    "lately": "update activity set last_at = now() - %(n)s * interval '1 day' where user_key = %(user)s",
    "no more": "delete from activity where user_key = %(user)s and entry_key %% 2 = 0",
    "another user": "update activity set user_key = %(other)s where user_key = %(user)s and entry_key = %(entry)s"
    " and %(other)s in (select user_key from users)"
    " and not exists (select from activity a where a.user_key = %(other)s and a.entry_key = %(entry)s)",
    "arrivals": "insert into activity_input (user_id, entry, frequency) values"
    " ('u' || %(user)s, 'e' || %(entry)s, %(n)s), ('new' || %(n)s, 'e' || %(entry)s, 2), ('new', 'thing' || %(n)s, 1)",
    "nobody": "insert into users (user_id) values ('idle' || gen_random_uuid())",
    "leaving": "delete from users where user_key = %(user)s",
    "forgotten": "call forget_user('u' || %(user)s)",
    "another name": "update users set user_id = user_id || '*' where user_key = %(user)s",
    "names that are swapped": "update users u set user_id = o.user_id || '+' from users o"
    " where u.user_key in (%(user)s, %(other)s) and o.user_key in (%(user)s, %(other)s) and o.user_key <> u.user_key",
    "what is known": 'update users set attributes = \'{"home": "city"}\' where user_key = %(user)s',
    "a rare entry that goes": "delete from entries where entry_key in"
    " (select entry_key from entry_stats where users < 5 order by users, entry_key limit 1)",
    "another text": "update entries set entry = entry || ' again' where entry_key = %(entry)s",
    "a vector": "insert into entry_vectors (entry_key, embedding) select e.entry_key, %(vector)s::vector from entries e"
    " where e.entry_key in (select entry_key from entry_stats where users < 9 order by entry_key %% %(n)s limit 1)"
    " on conflict (entry_key) do update set embedding = excluded.embedding",
    "no vector": "delete from entry_vectors where entry_key in"
    " (select entry_key from entry_stats where users < 9 order by entry_key %% %(n)s limit 1)",
    "by hand": "insert into activity (user_key, entry_key, frequency) values (1000000 + %(user)s, %(entry)s, 2)",
    "refreshed": "call refresh()",
    "seldom: a policy": "update space set weighting = case weighting when 'log' then 'sqrt' else 'log' end",
    "seldom: half-life": "update space set half_life = case when half_life is null then interval '40 days' end",
    "seldom: breadth": "update space set breadth = case breadth when 0.9 then 0.5 else 0.9 end",
    "seldom: emptied": "truncate entry_vectors",
}


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_after_hundreds_of_changes_nothing_differs(tables: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    names = [name for name in CHANGES if not name.startswith("seldom")]
    with connect(tables, autocommit=True) as connection:
        said = notices(connection)
        done: list[str] = []
        for number in range(300):
            name = str(random.choice(names))
            if number % 75 == 74:
                name = str(random.choice([name for name in CHANGES if name.startswith("seldom")]))
            user, other = random.choice(USERS, 2, replace=False) + 1
            values = {
                "user": int(user),
                "other": int(other),
                "entry": int(random.integers(1, ENTRIES + 1)),
                "n": int(random.integers(1, 50)),
                "vector": str(random.normal(size=DIMENSIONS).tolist()),
            }
            connection.execute(CHANGES[name].encode(), values)
            done.append(name)
            if number % 6 == 5:
                refresh(connection)
                assert differences(connection) == {}, done[-6:]
        assert 0 < len(said) < 30, said


def compare_searches(url: str) -> list[tuple]:
    with connect(url) as connection:
        return connection.execute(
            "select 'search', user_id, round(score::numeric, 5) from search_users('[1, 0.2, 0]'::vector, 30)"
            " union all select 'evidence', user_id, round(score::numeric, 5)"
            " from search_users('[0, 1, 0.3]'::vector, 30, mode => 'evidence')"
            " union all select 'entries', user_id, round(similarity::numeric, 5)"
            " from similar_users('u7', 30, by => 'entries')"
            " union all select 'average', null, round(average_user_drift()::numeric, 3) order by 1, 3 desc, 2"
        ).fetchall()


@pytest.mark.slow
def test_people_see_the_same(tables: str) -> None:
    """A search reads what is late beside what is in the arrays."""
    with connect(tables) as connection:
        for user in (7, 8, 9):
            connection.execute("update activity set frequency = 40 where user_key = %s", [user])
            refresh(connection)
        assert connection.execute("select count(*) from late_users").fetchone() == (3,)
    before = compare_searches(tables)
    assert materialize(tables, "views")
    assert compare_searches(tables) == before
    with connect(tables) as connection:
        assert connection.execute("select count(*) from late_users").fetchone() == (0,)
        connection.execute("update activity set frequency = 50 where user_key = 7")
        refresh(connection)
        connection.execute("refresh materialized view concurrently user_vectors")
        assert connection.execute("select count(*) from changed_users").fetchone() == (0,)
        assert differences(connection) == {}


@pytest.mark.slow
def test_an_index_stays(tables: str) -> None:
    """Through changes and both ways of migration; where every row changes, it is made anew."""
    with connect(tables) as connection:
        create_indexes(connection, open_space(connection, "audience"), tables)
        before = connection.execute(INDEXES).fetchall()
        for user in range(1, 41, 2):
            connection.execute("update activity set frequency = frequency + 9 where user_key = %s", [user])
            refresh(connection)
        assert connection.execute(INDEXES).fetchall() == before
        connection.execute("update space set weighting = 'sqrt'")
        refresh(connection)
        assert [(name, valid) for name, _, valid in connection.execute(INDEXES).fetchall()] == [
            (name, valid) for name, _, valid in before
        ]
        assert differences(connection) == {}
    both: tuple[Materialization, ...] = ("views", "tables")
    for materialization in both:
        assert materialize(tables, materialization)
        assert not materialize(tables, materialization)
        with connect(tables) as connection:
            assert len(connection.execute(INDEXES).fetchall()) == len(before)


@pytest.mark.slow
def test_an_upgrade_keeps_the_tables(tables: str) -> None:
    kept = "select oid, pg_relation_filenode(oid) from pg_class where relname = any (%s) order by oid"
    with connect(tables) as connection:
        connection.execute("update activity set frequency = 40 where user_key = 7")
        connection.commit()
        before = connection.execute(kept, [list(VIEWS)]).fetchall()
        connection.execute("update space set bundle_digest = 'former'")
        connection.commit()
        assert migrate(tables, "audience", model=None, weighting=None, measure=lambda _: TOY_MODEL).changed
        assert connection.execute(kept, [list(VIEWS)]).fetchall() == before
        refresh(connection)
        assert differences(connection) == {}


def test_a_deep_check_finds_what_is_wrong(tables: str) -> None:
    with connect(tables) as connection:

        def found() -> Check:
            (check,) = [
                each for each in run_checks(connection, "audience", deep=True) if each.name == "user vectors as defined"
            ]
            return check

        assert (found().ok, found().found) == (True, "as defined")
        connection.execute("delete from user_vectors where user_key = 7")
        connection.execute("update entry_stats set users = users + 1 where entry_key = 1")
        assert found().found.startswith(f"1 of {ENTRIES} rows of entry_stats, 1 of {USERS} rows of user_vectors, ")
        assert not found().ok
        connection.execute("update activity set frequency = 50 where user_key = 7")
        assert found().found == "not compared, as they are stale"


@pytest.mark.slow
def test_loads_and_refreshes_at_the_same_time(tables: str) -> None:
    """Also where refreshes and loads are cancelled in the middle."""
    finished = threading.Event()
    faults: list[BaseException] = []

    def repeat(work: Callable[[psycopg.Connection, int], None]) -> None:
        with connect(tables, autocommit=True) as connection:
            number = 0
            while not finished.is_set():
                number += 1
                try:
                    work(connection, number)
                except psycopg.errors.QueryCanceled:
                    pass
                except BaseException as fault:
                    faults.append(fault)
                    raise

    def load(connection: psycopg.Connection, number: int) -> None:
        connection.execute(
            "insert into activity_input (user_id, entry, frequency) values ('u' || %s, 'e' || %s, 1)",
            [number % USERS, number % ENTRIES + 1],
        )

    def leave(connection: psycopg.Connection, number: int) -> None:
        connection.execute("delete from users where user_id = 'u' || %s", [USERS - number])
        connection.execute("update entry_vectors set embedding = l2_normalize(embedding + '[0.1, 0, 0]')"
                           " where entry_key = 50 + %s %% 30", [number])  # fmt: skip

    def bring_up_to_date(connection: psycopg.Connection, number: int) -> None:
        connection.execute("select set_config('statement_timeout', %s, false)", ["20ms" if number % 3 == 0 else "0"])
        refresh(connection)

    threads = [threading.Thread(target=repeat, args=(work,)) for work in (load, load, leave, bring_up_to_date)]
    for thread in threads:
        thread.start()
    finished.wait(8)
    finished.set()
    for thread in threads:
        thread.join()
    assert faults == []
    with connect(tables) as connection:
        refresh(connection)
        assert differences(connection) == {}
        assert connection.execute("select stale from status").fetchone() == (False,)


@pytest.mark.slow
def test_dump_and_restore(tables: str, cluster: Cluster, tmp_path: Path) -> None:
    """What was logged and not yet refreshed is restored as well."""
    with connect(tables) as connection:
        connection.execute("update activity set frequency = 40 where user_key = 7")
        refresh(connection)
        connection.execute("delete from users where user_key = 9")
        connection.execute("update activity set frequency = 50 where user_key in (7, 8)")
    dump(tables, cluster.major, tmp_path / "dump")
    restored = cluster.clone("bare", lambda _: None)
    restore(restored, cluster.major, tmp_path / "dump")
    assert not materialize(restored, "tables")
    with connect(restored) as connection:
        connection.execute("analyze")
        said = notices(connection)
        assert connection.execute("select count(distinct user_key) from changed_users").fetchone() == (3,)
        refresh(connection)
        assert differences(connection) == {}
        connection.execute("update activity set frequency = 60 where user_key in (11, 12)")
        refresh(connection)
        assert differences(connection) == {}
        assert said == []


@pytest.mark.slow
def test_spaces_over_the_same_people_have_that_of_their_base(toy: str) -> None:
    taste = ("tests:taste", 2)
    migrate(toy, "taste", model=None, weighting=None, of="audience", measure=lambda _: taste)
    with pytest.raises(PgaudienceError, match="has the materialization of 'audience'"):
        materialize(toy, "tables", "taste")
    materialize(toy, "tables")
    with connect(toy, "taste") as connection:
        assert connection.execute("select materialization from space").fetchone() == ("tables",)
        connection.execute(
            "insert into entry_vectors (entry_key, embedding)"
            " select entry_key, l2_normalize('[1, 0.5]'::vector) from entries"
        )
        refresh(connection)
        connection.execute("analyze audience.activity")
        connection.execute("insert into audience.users (user_id) select 'extra' || n from generate_series(1, 50) n")
        connection.execute("update audience.activity set frequency = 30 where user_key = 1 and entry_key = 1")
        connection.execute("delete from audience.users where user_id = 'bob'")
        refresh(connection)
        assert differences(connection) == {}
        connection.commit()
    with connect(toy) as connection:
        refresh(connection)
        assert differences(connection) == {}
