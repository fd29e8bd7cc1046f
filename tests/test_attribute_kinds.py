"""An attribute is of one kind in the whole space: in storing, in filters, in describing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conftest import TOY_MODEL, Cluster, _fill_empty, connect, migrate_toy
from former import former_space
from pgaudience.loading.load import load
from pgaudience.loading.merge import Merged
from pgaudience.reading import Columns, Rejects, open_source, read_entries, read_users


def bring(url: str, folder: Path, *, users: str | None = None, entries: str | None = None, activity: str | None = None,
          name: str = "x.csv", **options: object) -> Merged:  # fmt: skip
    rejects = Rejects()
    for part, text in (("users", users), ("entries", entries), ("activity", activity)):
        (folder / f"{part}-{name}").write_text(text or "")
    path = folder / f"activity-{name}"
    sources = [open_source(path, format=None, columns=Columns(), rejects=rejects)] if activity is not None else []
    with connect(url) as connection:
        return load(
            connection,
            sources,
            users=read_users(folder / f"users-{name}", None, None, rejects) if users else (),
            entries=read_entries(folder / f"entries-{name}", None, None, rejects) if entries else (),
            **options,  # type: ignore[arg-type]
        )


def rows(url: str, query: str, *arguments: object) -> list[tuple]:
    with connect(url, autocommit=True) as connection:
        return connection.execute(query, arguments).fetchall()


def stored(url: str, relation: str = "users") -> dict[str, dict]:
    return dict(rows(url, f"select {'user_id' if relation == 'users' else 'entry'}, attributes from {relation}"))


def found(url: str, filter: dict) -> list[str]:  # noqa: A002
    query = "select user_id from users where attributes @> stored_filter(%s) order by user_id"
    return [user for (user,) in rows(url, query, json.dumps(filter))]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_later_file_does_not_split_an_attribute_in_two(space: str, tmp_path: Path, order: tuple[int, int]) -> None:
    files = ["user,zip\nann,80331\nbob,80331\ncy,1067\n", "user,zip\ndan,01067\neve,80331\n"]
    merged = [bring(space, tmp_path, users=files[n]) for n in order]
    assert [each.texts for each in merged] == [{}, {"zip": 3} if order == (0, 1) else {}]
    assert stored(space) == {
        "ann": {"zip": "80331"}, "bob": {"zip": "80331"}, "cy": {"zip": "1067"}, "dan": {"zip": "01067"},
        "eve": {"zip": "80331"},
    }  # fmt: skip
    assert found(space, {"zip": 80331}) == found(space, {"zip": "80331"}) == ["ann", "bob", "eve"]
    assert found(space, {"zip": 1067}) == ["cy"]
    assert found(space, {"zip": "01067"}) == ["dan"]
    assert rows(space, "select relation, attribute, kind from attribute_kinds") == [("users", "zip", "text")]
    assert bring(space, tmp_path, users="user,zip\nann,5\n").texts == {}
    assert stored(space)["ann"] == {"zip": "5"}


def test_numbers_stay_numbers_from_load_to_load(space: str, tmp_path: Path) -> None:
    bring(space, tmp_path, users="user,age,note\nann,34,\nbob,,\n")
    bring(space, tmp_path, users="user,age,note\nbob,1.50,\ncy,,x\n")
    assert stored(space) == {"ann": {"age": 34}, "bob": {"age": 1.5}, "cy": {"note": "x"}}
    assert found(space, {"age": "34"}) == found(space, {"age": 34}) == found(space, {"age": 34.0}) == ["ann"]
    assert found(space, {"age": "034"}) == found(space, {"age": "x"}) == []
    assert found(space, {}) == ["ann", "bob", "cy"]
    assert rows(space, "select attribute, kind from attribute_kinds order by 1") == [
        ("age", "number"),
        ("note", "text"),
    ]


@pytest.mark.parametrize(
    "text", ["01067", "01E1", "1e3", "+1", "-0", "1.", ".5", "1,5", "0x1", " ", "NaN", "Infinity", "٣", "9" * 257]
)
def test_what_would_not_come_back_as_it_was_is_no_number(space: str, text: str) -> None:
    assert rows(space, "select is_number(%s)", text) == [(False,)]


@pytest.mark.parametrize("text", ["0", "-1", "1.50", "80331", "0.001", "-0.5", "9" * 256, "0." + "0" * 250 + "1"])
def test_a_number_comes_back_as_it_was(space: str, text: str) -> None:
    query = "select is_number(%s), to_jsonb(%s::numeric) #>> '{}', abs(%s::float8) >= 0"
    assert rows(space, query, text, text, text) == [(True, text, True)]


def test_an_attribute_of_many_digits_is_a_text(space: str, tmp_path: Path) -> None:
    digits = "9" * 200_000
    bring(space, tmp_path, users=f"user,serial\nann,{digits}\nbob,7\n")
    assert stored(space) == {"ann": {"serial": digits}, "bob": {"serial": "7"}}


def test_entries_follow_the_same_rule_lists_too(space: str, tmp_path: Path) -> None:
    merged = bring(
        space, tmp_path, activity="user,item\nann,Tea\nann,Rye\n", entries="item,code,size\nTea,12,1\nTea,13,2\n"
    )
    assert merged.entries.texts == {}
    assert stored(space, "entries")["Tea"] == {"code": [12, 13], "size": [1, 2]}
    merged = bring(space, tmp_path, entries="item,code\nRye,007\nRye,8\n")
    assert merged.entries.texts == {"code": 1}
    assert stored(space, "entries") == {
        "Tea": {"code": ["12", "13"], "size": [1, 2]}, "Rye": {"code": ["007", "8"]},
    }  # fmt: skip
    find = "select entry from entries where attributes @> stored_filter(%s, 'entries') order by entry"
    assert rows(space, find, '{"code": [12]}') == rows(space, find, '{"code": ["12"]}') == [("Tea",)]
    assert rows(space, find, '{"size": ["2"]}') == [("Tea",)]


def test_what_was_set_by_hand_counts_too(space: str, tmp_path: Path) -> None:
    with connect(space, autocommit=True) as connection:
        connection.execute(
            """insert into users (user_id, attributes) values
            ('ann', '{"zip": "80331", "age": 34, "vip": true}'), ('bob', '{"zip": 80331, "age": 35, "vip": false}')"""
        )
    assert found(space, {"vip": True}) == ["ann"]
    merged = bring(space, tmp_path, users="user,zip,age,vip\ncy,80331,36,true\n")
    assert merged.texts == {"vip": 2, "zip": 1}
    assert stored(space) == {
        "ann": {"zip": "80331", "age": 34, "vip": "true"}, "bob": {"zip": "80331", "age": 35, "vip": "false"},
        "cy": {"zip": "80331", "age": 36, "vip": "true"},
    }  # fmt: skip
    assert found(space, {"vip": True}) == found(space, {"vip": "true"}) == ["ann", "cy"]


def test_every_search_finds_both_spellings(toy: str, tmp_path: Path) -> None:
    """Functions that take a filter, each in its own way, take it as the attributes are stored."""
    users = [user for (user,) in rows(toy, "select user_id from user_vectors order by user_id")]
    bring(
        toy,
        tmp_path,
        users="user,zip,level\n" + "".join(f"{u},{'01067' if n else 80331},{n}\n" for n, u in enumerate(users)),
    )
    calls = [
        "select user_id from search_users('[1,0,0]'::vector, k => 100, filter => %s)",
        "select user_id from search_users('[1,0,0]'::vector, k => 100, filter => %s, mode => 'mean')",
        "select user_id from lookalikes(array[%s], k => 100, filter => %s)",
        "select user_id from similar_users(%s, k => 100, filter => %s)",
    ]
    for query in calls:
        seed = [users[-1]] if query.count("%s") == 2 else []
        for spellings in (('{"zip": 80331}', '{"zip": "80331"}'), ('{"level": 0}', '{"level": "0"}')):
            for spelling in spellings:
                assert rows(toy, query, *seed, spelling) == [(users[0],)], query


def test_a_space_of_a_former_release_is_settled(cluster: Cluster) -> None:
    """Migrating mends what loads have split; booleans and objects that nobody loaded stay."""
    url = cluster.clone("empty", _fill_empty)
    former_space(url, "0015", model=TOY_MODEL[0], dimensions=TOY_MODEL[1])
    with connect(url, autocommit=True) as connection:
        connection.execute(
            "insert into loads (source, digest, mode, rows_read, rows_rejected) values ('a', 'x', 'add', 1, 0)"
        )
        connection.execute(
            """insert into users (user_id, attributes) values
            ('ann', '{"zip": 80331, "age": 34, "vip": true, "more": {"a": 1}}'),
            ('bob', '{"zip": "01067", "age": 35, "vip": null}'), ('cy', '{}')"""
        )
        connection.execute(
            """insert into entries (entry, attributes)
            values ('Tea', '{"c": [1, "x"]}'), ('Rye', '{"c": 2, "n": [3]}')"""
        )
    migrate_toy(url)
    assert stored(url) == {
        "ann": {"zip": "80331", "age": 34, "vip": True, "more": {"a": 1}},
        "bob": {"zip": "01067", "age": 35, "vip": None}, "cy": {},
    }  # fmt: skip
    assert stored(url, "entries") == {"Tea": {"c": ["1", "x"]}, "Rye": {"c": "2", "n": [3]}}
    assert rows(url, "select relation, attribute, kind from attribute_kinds order by 1, 2") == [
        ("entries", "c", "text"), ("entries", "n", "number"), ("users", "age", "number"), ("users", "zip", "text"),
    ]  # fmt: skip
    assert found(url, {"zip": 80331}) == ["ann"]
    assert rows(url, "select finished_at = loaded_at from loads") == [(True,)]
