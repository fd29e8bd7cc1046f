"""Orders and sessions: what users had together, loaded, learned from, and looked at."""

from __future__ import annotations

import datetime
import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from conftest import Cluster, connect, migrate_toy, shared
from pgaudience.cli import cli
from pgaudience.database import open_space
from pgaudience.embedding.registry import measure
from pgaudience.errors import PgaudienceError
from pgaudience.installing import migrate
from pgaudience.learning import Trained, train
from pgaudience.learning.baskets import read_baskets
from pgaudience.learning.factors import factorize
from pgaudience.learning.ppmi import positive_pmi
from pgaudience.loading import staging
from pgaudience.loading.load import load
from pgaudience.loading.merge import Merged
from pgaudience.reading import Columns, Rejects, open_source

ORDERS = Columns(session="order")
TEXT = """user,item,count,order
ann,Tea,1,a1
ann,Bread,2,a1
ann,Tea,3,a2
ann, Rum ,1, a2
ann,Salt,1,
bob,Tea,1,a1
bob,Bread,1,a1
"""
HELD = [("ann", "a1", ["Bread", "Tea"]), ("ann", "a2", ["Rum", "Tea"]), ("bob", "a1", ["Bread", "Tea"])]


def run(url: str, folder: Path, text: str, columns: Columns = ORDERS, **options: object) -> Merged:
    path = folder / "orders.csv"
    path.write_text(text)
    with connect(url) as connection:
        return load(connection, [open_source(path, format=None, columns=columns, rejects=Rejects())], **options)  # type: ignore[arg-type]


def rows(url: str, query: str, schema: str = "audience") -> list[tuple]:
    with connect(url, schema, autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def held(url: str, schema: str = "audience") -> list[tuple]:
    query = """
    select u.user_id, s.session_id, array_agg(e.entry order by e.entry)
    from sessions s
    join users u using (user_key)
    cross join unnest(s.entry_keys) k (entry_key)
    join entries e using (entry_key)
    group by 1, 2
    order by 1, 2
    """
    return rows(url, query, schema)


# Loads


def test_a_load_keeps_sessions(space: str, tmp_path: Path) -> None:
    assert run(space, tmp_path, TEXT).sessions == 3
    assert held(space) == HELD
    assert rows(space, "select sum(frequency) from activity") == [(10,)]
    assert rows(space, "select user_key, entry_keys from sessions where entry_keys <> array(select distinct k"
                       " from unnest(entry_keys) k order by k)") == []  # fmt: skip


def test_twice_changes_nothing(space: str, tmp_path: Path) -> None:
    run(space, tmp_path, TEXT)
    before = rows(space, "select ctid, xmin from sessions order by 1")
    assert run(space, tmp_path, TEXT).sessions == 0
    assert run(space, tmp_path, TEXT, mode="add", force=True).sessions == 0
    with pytest.raises(PgaudienceError, match="was loaded before"):
        run(space, tmp_path, TEXT, mode="add")
    assert rows(space, "select ctid, xmin from sessions order by 1") == before


def test_replace_is_the_truth_for_its_users(space: str, tmp_path: Path) -> None:
    run(space, tmp_path, TEXT)
    assert run(space, tmp_path, "user,item,order\nann,Tea,a2\nann,Salt,a3\n").sessions == 2
    assert held(space) == [("ann", "a2", ["Tea"]), ("ann", "a3", ["Salt"]), HELD[2]]
    run(space, tmp_path, "user,item\nann,Tea\n", Columns())
    assert held(space) == [HELD[2]]


def test_add_adds_to_sessions(space: str, tmp_path: Path) -> None:
    run(space, tmp_path, TEXT)
    more = "user,item,order\nann,Rum,a1\nbob,Tea,a1\ncy,Tea,c1\n"
    assert run(space, tmp_path, more, mode="add").sessions == 2
    assert held(space) == [
        ("ann", "a1", ["Bread", "Rum", "Tea"]), *HELD[1:], ("cy", "c1", ["Tea"]),
    ]  # fmt: skip
    run(space, tmp_path, "user,item\nann,Tea\n", Columns(), mode="add")
    assert len(held(space)) == 4


def test_sessions_come_in_several_blocks_and_spellings(
    space: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "ROWS_IN_A_BLOCK", 1)
    monkeypatch.setattr("pgaudience.reading.delimited.ROWS_A_BATCH", 2, raising=False)
    lines = [f"u{n % 3},Item {n},Caf{'é' if n % 2 else chr(101) + chr(769)} {n % 3}" for n in range(30)]
    run(space, tmp_path, "user,item,order\n" + "\n".join(lines) + "\n")
    run(space, tmp_path, "user,item,order\n" + "\n".join(lines) + "\n")
    assert held(space) == [
        (f"u{n}", f"Café {n}", sorted(f"Item {at}" for at in range(n, 30, 3))) for n in range(3)
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["orders.csv", "orders.jsonl", "orders.parquet"])
def test_the_time_may_be_the_session(space: str, tmp_path: Path, name: str) -> None:
    moments = ["2024-01-02T10:00:00", "2024-01-03T11:30:00"]
    records = [{"user": "ann", "item": item, "date": moments[at]} for at, item in ((0, "Tea"), (0, "Rum"), (1, "Tea"))]
    if name.endswith("parquet"):
        pyarrow = pytest.importorskip("pyarrow")
        import pyarrow.parquet as parquet

        for record in records:
            record["date"] = datetime.datetime.fromisoformat(record["date"])  # type: ignore[assignment]
        parquet.write_table(pyarrow.Table.from_pylist(records), tmp_path / name)
        text = None
    elif name.endswith("jsonl"):
        text = "\n".join(map(json.dumps, records))
    else:
        text = "user,item,date\n" + "".join(",".join(record.values()) + "\n" for record in records)
    if text is not None:
        (tmp_path / name).write_text(text)
    with connect(space) as connection:
        source = open_source(tmp_path / name, format=None, columns=Columns(session="date"), rejects=Rejects())
        assert "occurred_at = date, session = date" in str(source.columns)
        load(connection, [source])
    assert held(space) == [("ann", moments[0], ["Rum", "Tea"]), ("ann", moments[1], ["Tea"])]
    assert rows(space, "select count(*) from activity where first_at is not null") == [(2,)]


def test_bad_sessions(space: str, tmp_path: Path) -> None:
    rejects = Rejects()
    (tmp_path / "bad.csv").write_bytes(
        b"user,item,order\nann,Tea,\xff\nann,Rum,\0\nann,Salt," + b"x" * 3000 + b"\nann,Ham,ok\n"
    )
    with connect(space) as connection:
        source = open_source(tmp_path / "bad.csv", format=None, columns=ORDERS, rejects=rejects)
        load(connection, [source])
    assert held(space) == [("ann", "ok", ["Ham"])]
    assert "session id longer than" in str(rejects.account())
    with pytest.raises(PgaudienceError, match="no column 'basket'"):
        run(space, tmp_path, TEXT, Columns(session="basket"))


def test_who_is_forgotten_leaves_no_session(space: str, tmp_path: Path) -> None:
    run(space, tmp_path, TEXT)
    rows(space, "call forget_user('ann')")
    assert held(space) == [HELD[2]]
    run(space, tmp_path, TEXT)
    assert held(space) == [HELD[2]]
    assert rows(space, "select s.entry_keys <@ array(select entry_key from entries) from sessions s") == [(True,)]


# Learning from them


def fill(url: str) -> None:
    """Users have everything; what goes together is only in sessions: even items with even ones, odd with odd."""
    migrate_toy(url)
    random = np.random.default_rng(1)
    with connect(url) as connection:
        connection.execute("insert into users (user_id) select format('user_%s', n) from generate_series(1, 30) n")
        connection.execute("insert into entries (entry) select format('item %s', n) from generate_series(1, 16) n")
        for user in range(1, 31):
            for session in range(8):
                side = (user + session) % 2
                keys = sorted(int(2 * key + 1 + side) for key in random.choice(8, 4, replace=False))
                connection.execute("insert into sessions values (%s, %s, %s)", [user, f"{user}-{session}", keys])
        connection.execute(
            "insert into activity"
            " select user_key, k, count(*) from sessions cross join unnest(entry_keys) k group by user_key, k"
        )
    migrate(
        url, "taste", model="behaviour", weighting=None, of="audience",
        measure=lambda model: measure(model, dimensions=4),
    )  # fmt: skip


@pytest.fixture
def taste(cluster: Cluster) -> str:
    """The space `taste` over people whose sessions say more than they do."""
    return cluster.clone("sessions", fill)


def trained(url: str) -> Trained:
    with connect(url, "taste") as connection:
        return train(connection, open_space(connection, "taste"))


def test_it_learns_from_sessions(taste: str) -> None:
    of_users = trained(taste)
    assert (of_users.basket, of_users.baskets) == ("user", 30)
    rows(taste, "update space set basket = 'session'", "taste")
    done = trained(taste)
    assert (done.basket, done.baskets, done.pairs, done.median) == ("session", 240, 960, 4)
    near = rows(taste, "select entry from search_entries('item 2', k => 8)", "taste")
    assert {int(entry.split()[1]) % 2 for (entry,) in near} == {0}
    assert rows(taste, "select trained_pairs from space", "taste") == rows(taste, "select count(*) from activity")

    with connect(taste, "taste") as connection:
        baskets = read_baskets(connection, of_sessions=True)
    has = np.zeros((240, 16))
    for at, (keys,) in enumerate(rows(taste, "select entry_keys from sessions order by user_key, session_id")):
        has[at, np.array(keys) - 1] = 1
    np.testing.assert_array_equal(baskets.matrix.toarray(), has)
    expected = factorize(positive_pmi(baskets.matrix, 0.75, 0), 4)
    stored = np.array([row[0] for row in rows(
        taste, "select embedding::real[] from entry_vectors order by entry_key", "taste")])  # fmt: skip
    np.testing.assert_allclose(stored @ stored.T, expected @ expected.T, atol=1e-4)


def test_without_sessions_it_says_so_and_keeps_what_it_had(taste: str) -> None:
    trained(taste)
    rows(taste, "update space set basket = 'session'", "taste")
    rows(taste, "delete from sessions")
    before = rows(taste, "select embedding::text from entry_vectors order by entry_key", "taste")
    with pytest.raises(PgaudienceError, match="learns from sessions, and there are none"):
        trained(taste)
    assert rows(taste, "select embedding::text from entry_vectors order by entry_key", "taste") == before


def test_an_entry_that_is_gone_is_not_learned(taste: str) -> None:
    rows(taste, "update space set basket = 'session'", "taste")
    rows(taste, "delete from entries where entry_key = 3")
    assert trained(taste).entries == 15
    assert rows(taste, "select 3 = any (entry_keys) from sessions where 3 = any (entry_keys) limit 1") == [(True,)]


# Vectors of them


def test_vectors_of_sessions(taste: str) -> None:
    trained(taste)
    vectors = dict(rows(taste, "select entry_key, embedding::real[] from entry_vectors", "taste"))
    expected = {}
    for user, session, keys in rows(
        taste, "select u.user_id, s.session_id, s.entry_keys from sessions s join users u using (user_key)"
    ):
        mean = np.sum([vectors[key] for key in keys], axis=0)
        expected[user, session] = mean / np.linalg.norm(mean)
    found = rows(taste, "select user_id, session_id, entries, embedding::real[] from session_vectors", "taste")
    assert len(found) == 240
    for user, session, entries, vector in found:
        assert entries == 4
        np.testing.assert_allclose(vector, expected[user, session], atol=1e-5)
    assert rows(taste, "select count(*) from session_vectors") == [(0,)]  # nothing is embedded in the space of texts


@pytest.mark.slow
def test_orders_of_a_shop(space: str, tmp_path: Path) -> None:
    """A quarter of the real orders, through the command: an order is what was bought at one moment."""
    with gzip.open(shared("online-retail/events_timed.csv.gz"), "rt") as file:
        lines = file.readlines()
    chosen = [line for line in lines[1:] if line.split(",")[0][-1] in "02468"][:60_000]
    (tmp_path / "orders.csv").write_text(lines[0] + "".join(chosen))
    done = CliRunner().invoke(
        cli, ["--database", space, "load", str(tmp_path / "orders.csv"), "--session", "occurred_at", "--no-embed"]
    )
    assert done.exit_code == 0, done.output
    orders = len({(line.split(",")[0], line.strip().rsplit(",", 1)[1]) for line in chosen})
    assert f"{orders:,} sessions are new" in done.output
    (bytes_,) = rows(space, "select pg_total_relation_size('sessions')")[0]
    (activity,) = rows(space, "select pg_total_relation_size('activity')")[0]
    assert bytes_ < activity / 2
