"""Loading into a real space: the account, replace and add, all or nothing, two at once."""

from __future__ import annotations

import gzip
import threading
from pathlib import Path

import psycopg
import pytest

from conftest import Cluster, connect, migrate_toy, shared
from pgaudience.errors import PgaudienceError
from pgaudience.loading import staging
from pgaudience.loading.load import load
from pgaudience.loading.merge import Merged
from pgaudience.loading.numbering import Numbering
from pgaudience.reading import Columns, Rejects, open_query, open_source, read_users

GUESSED = Columns()
ACTIVITY = """
select user_id, entry, frequency, first_at, last_at
from activity join users using (user_key) join entries using (entry_key)
order by user_id, entry
"""


def run(
    url: str, *texts: str, name: str = "rows.csv", tmp_path: Path, users: str | None = None,
    rejects: Rejects | None = None, columns: Columns = GUESSED, **options: object,
) -> Merged:  # fmt: skip
    paths = [tmp_path / f"{number}{name}" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    people = ()
    rejects = rejects or Rejects()
    if users is not None:
        (tmp_path / "users.csv").write_text(users)
        people = read_users(tmp_path / "users.csv", None, None, rejects)
    with connect(url) as connection:
        sources = [open_source(path, format=None, columns=columns, rejects=rejects) for path in paths]
        return load(connection, sources, users=people, **options)  # type: ignore[arg-type]


def rows(url: str, query: str = ACTIVITY) -> list[tuple]:
    with connect(url, autocommit=True) as connection:
        return connection.execute(query).fetchall()


def versions(url: str) -> list[tuple]:
    """Where each row lies: it moves when the row is written anew."""
    return rows(url, "select ctid, xmin, * from activity order by 3, 4") + rows(
        url, "select ctid, xmin, user_key from users order by 3"
    )


def test_pairs_are_added_up_and_texts_folded(space: str, tmp_path: Path) -> None:
    merged = run(
        space, "user,item,count\nann, Ski  Aspen,2\n ann ,Ski Aspen,3\nbob,ski aspen,1\nann,Cafe\u0301,1\nbob,Café,4\n",
        tmp_path=tmp_path,
    )  # fmt: skip
    assert [row[:3] for row in rows(space)] == [
        ("ann", "Café", 1), ("ann", "Ski Aspen", 5), ("bob", "Café", 4), ("bob", "ski aspen", 1),
    ]  # fmt: skip
    assert (merged.new_users, merged.new_entries, merged.pairs_added) == (2, 3, 4)


def test_rows_without_frequency_are_events(space: str, tmp_path: Path) -> None:
    run(space, "user,item,timestamp\nann,Ski,2024-01-02T10:00:00Z\nann,Ski,2024-01-01\nann,Bar,\n", tmp_path=tmp_path)
    bar, ski = rows(space)
    assert bar[1:] == ("Bar", 1, None, None)
    assert ski[1:3] == ("Ski", 2)
    assert [moment.isoformat()[:16] for moment in ski[3:]] == ["2024-01-01T00:00", "2024-01-02T10:00"]


def test_replace_is_the_truth_for_the_users_it_holds(space: str, tmp_path: Path) -> None:
    run(space, "user,item,count\nann,Ski,2\nann,Bar,1\nbob,Ski,7\n", tmp_path=tmp_path)
    merged = run(space, "user,item,count\nann,Ski,5\nann,Museum,1\n", tmp_path=tmp_path)
    assert [row[:3] for row in rows(space)] == [("ann", "Museum", 1), ("ann", "Ski", 5), ("bob", "Ski", 7)]
    assert (merged.pairs_added, merged.pairs_changed, merged.pairs_removed) == (1, 1, 1)


def test_the_same_load_twice_changes_nothing(space: str, tmp_path: Path) -> None:
    text = "user,item,count\nann,Ski,0.1\nann,Ski,0.2\nbob,Bar,3\n"
    people = "user,age\nann,30\nbob,\n"
    run(space, text, users=people, tmp_path=tmp_path)
    with connect(space, autocommit=True) as connection:
        connection.execute("call refresh()")
    before = versions(space)
    merged = run(space, text, users=people, tmp_path=tmp_path)
    assert versions(space) == before
    assert rows(space, "select stale from status") == [(False,)]
    assert merged == Merged(0, 0, 0, 0, 0, 0, {})


def test_add_increments_and_refuses_the_same_file(space: str, tmp_path: Path) -> None:
    text = "user,item,count,time\nann,Ski,2,2024-05-01\n"
    run(space, text, mode="add", tmp_path=tmp_path)
    with pytest.raises(PgaudienceError, match="was loaded before"):
        run(space, text, mode="add", tmp_path=tmp_path)
    assert [row[2] for row in rows(space)] == [2]
    run(space, text, mode="add", force=True, tmp_path=tmp_path)
    run(space, "user,item,count,time\nann,Ski,1,2023-05-01\n", mode="add", tmp_path=tmp_path)
    ((_, _, frequency, first, last),) = rows(space)
    assert (frequency, first.year, last.year) == (5, 2023, 2024)


@pytest.mark.parametrize("mode", ["replace", "add"])
def test_one_content_given_twice_is_refused(space: str, tmp_path: Path, mode: str) -> None:
    text = "user,item,count\nann,Ski,2\n"
    with pytest.raises(PgaudienceError, match="same content"):
        run(space, text, text, mode=mode, tmp_path=tmp_path)
    assert rows(space) == []
    run(space, text, text, mode=mode, force=True, tmp_path=tmp_path)
    assert [row[2] for row in rows(space)] == [4]


def test_all_or_nothing(space: str, tmp_path: Path) -> None:
    with pytest.raises(PgaudienceError, match="line 3"):
        run(space, "user,item,count\nann,Ski,2\nbob,Ski,-1\n", rejects=Rejects(strict=True), tmp_path=tmp_path)
    assert rows(space) == []
    assert rows(space, "select count(*) from users") == [(0,)]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device /dev/full")
def test_nothing_is_loaded_where_the_rejected_rows_cannot_be_written(space: str, tmp_path: Path) -> None:
    with pytest.raises(PgaudienceError, match="No space left"), Rejects(Path("/dev/full")) as rejects:
        run(space, "user,item,count\nann,Ski,2\n,Ski,1\n", tmp_path=tmp_path, rejects=rejects)
    assert rows(space) == []


def test_the_journal_holds_the_account(space: str, tmp_path: Path) -> None:
    run(space, "user,item,count\nann,Ski,2\n,Ski,1\nbob,,1\n", tmp_path=tmp_path)
    assert rows(space, "select mode, rows_read, rows_rejected from loads") == [("replace", 3, 2)]


def test_attributes_are_typed_by_column(space: str, tmp_path: Path) -> None:
    people = "user_id,age,zip,city\nann,31,01234,Lyon\nbob,45.5,80540,\n"
    run(space, "user,item,count\nann,Ski,2\n", users=people, tmp_path=tmp_path)
    assert rows(space, "select user_id, attributes from users order by 1") == [
        ("ann", {"age": 31, "zip": "01234", "city": "Lyon"}),
        ("bob", {"age": 45.5, "zip": "80540"}),
    ]


def test_attributes_in_replace_and_add(space: str, tmp_path: Path) -> None:
    activity = "user,item,count\nann,Ski,2\n"
    run(space, activity, users="user,age,city\nann,31,Lyon\n", tmp_path=tmp_path)
    run(space, activity, users="user,age\nann,\n", tmp_path=tmp_path, mode="add", force=True)
    assert rows(space, "select attributes from users") == [({"age": 31, "city": "Lyon"},)]
    run(space, activity, users="user,age\nann,\n", tmp_path=tmp_path)
    assert rows(space, "select attributes from users") == [({"city": "Lyon"},)]


def test_conflicting_attributes_are_counted_and_the_last_wins(space: str, tmp_path: Path) -> None:
    text = "user,item,gender\nann,Ski,F\nann,Bar,M\nbob,Ski,M\nbob,Bar,M\n"
    merged = run(space, text, columns=Columns(attributes=("gender",)), tmp_path=tmp_path)
    assert merged.conflicts == {"gender": 1}
    assert rows(space, "select attributes from users order by user_id") == [({"gender": "M"},), ({"gender": "M"},)]


def test_users_alone_make_nothing_stale(space: str, tmp_path: Path) -> None:
    with connect(space, autocommit=True) as connection:
        connection.execute("call refresh()")
    merged = run(space, users="user,age\nann,31\n", tmp_path=tmp_path)
    assert (merged.new_users, merged.attributes_changed) == (1, 1)
    assert rows(space, "select user_id, attributes, stale from users cross join status") == [
        ("ann", {"age": 31}, False)
    ]


def test_a_text_may_be_long(space: str, tmp_path: Path) -> None:
    long = " ".join(f"word{number}" for number in range(12_000))
    run(space, f"user,item,count\nann,{long},1\nbob,{long} too,1\n", tmp_path=tmp_path)
    assert [len(row[1]) for row in rows(space)] == [len(long), len(long) + 4]


def test_the_numbering_may_forget(space: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that gets a second number is still one user and one entry."""
    numbering = Numbering(characters=0)
    assert numbering.number(["a", "b", "a"]).tolist() == [0, 1, 0]
    assert numbering.number(["a"]).tolist() == [2]
    assert numbering.take_new() == ["a", "b", "a"]
    assert numbering.take_new() == []
    monkeypatch.setattr(Numbering.__init__, "__defaults__", (0,))
    texts = ["user,item,count\nann,Ski,2\nbob,Ski,1\n", "user,item,count\nann,Ski,3\nbob,Bar,1\n"]
    run(space, *texts, tmp_path=tmp_path)
    assert [row[:3] for row in rows(space)] == [("ann", "Ski", 5), ("bob", "Bar", 1), ("bob", "Ski", 1)]


@pytest.mark.slow
@pytest.mark.parametrize("block", [1, 2, 3, 1000])
@pytest.mark.parametrize("held", ["", "ann,Ski,9,2020-01-01\n", "zoe,Bar,1,\n"])
def test_blocks_make_no_difference(
    space: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int, held: str
) -> None:
    """Whatever is added up before it is sent, and whoever is there already."""
    run(space, "user,item,count,time\n" + held, tmp_path=tmp_path)
    monkeypatch.setattr(staging, "ROWS_IN_A_BLOCK", block)
    texts = [
        "user,item,count,time\nann,Ski,1,2024-03-01\nbob,Ski,2,\nann,Ski,4,2024-01-01\n",
        "user,item,count\nann,Ski,8\nann,Bar,16\n",
    ]
    run(space, *texts, tmp_path=tmp_path)
    found = [(*row[:3], *(moment and f"{moment:%Y-%m}" for moment in row[3:])) for row in rows(space)]
    expected = [
        ("ann", "Bar", 16, None, None), ("ann", "Ski", 13, "2024-01", "2024-03"), ("bob", "Ski", 2, None, None),
    ]  # fmt: skip
    assert [row for row in found if row[0] != "zoe"] == expected
    assert len(found) == len(expected) + held.startswith("zoe")


def test_two_loads_at_once_do_no_harm(space: str, tmp_path: Path) -> None:
    texts = [
        "user,item,count\n" + "".join(f"u{(n * step) % 400},e{(n * 7 * step) % 300},1\n" for n in range(4000))
        for step in (1, 399)
    ]
    (tmp_path / "1").mkdir(), (tmp_path / "2").mkdir()
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for _ in range(3):
                run(space, texts[number], tmp_path=tmp_path / str(number + 1), mode="add", force=True)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in (0, 1)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert not errors
    assert rows(space, "select sum(frequency) from activity") == [(24_000,)]
    assert rows(space, "select count(*), count(distinct user_id) from users") == [(400, 400)]


def test_a_query_on_another_database(space: str, cluster: Cluster) -> None:
    with psycopg.connect(cluster.url(), autocommit=True) as other:
        other.execute("create table if not exists visits as select 'ann' as visitor, 'Ski' as place, 2 as visits")
    rejects = Rejects()
    with connect(space) as connection:
        source = open_query(
            "select visitor, place, visits from visits", cluster.url(), Columns(user="visitor"), rejects
        )
        with source:
            load(connection, [source])
    assert [row[:3] for row in rows(space)] == [("ann", "Ski", 2)]


@pytest.mark.slow
def test_the_dirty_truth_adds_up(cluster18: Cluster, tmp_path: Path) -> None:
    path = shared("online-retail/events_dirty.csv.gz")
    space = cluster18.clone("space", migrate_toy)
    with Rejects(tmp_path / "rejects.csv") as rejects, connect(space) as connection:
        load(connection, [open_source(path, format=None, columns=Columns(), rejects=rejects)])
    account = rejects.account()
    assert account.read == account.accepted + account.rejected == 541_909
    assert account.reasons["blank user"] == 135_080
    assert sum(account.reasons.values()) == account.rejected
    clean = shared("online-retail/events.csv.gz")
    with gzip.open(clean, "rt") as lines:
        pairs = sum(1 for _ in lines) - 1
    (found,) = rows(space, "select count(*) from activity")
    assert abs(found[0] - pairs) / pairs < 0.01
