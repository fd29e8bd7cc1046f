"""What dashboards read: names beside numbers, attributes as rows, a history that stays."""

from __future__ import annotations

import pytest
from psycopg.errors import InvalidParameterValue
from psycopg.types.json import Json

from conftest import connect


def rows(url: str, query: str) -> list[tuple]:
    with connect(url, autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def cut(toy: str) -> str:
    rows(toy, "call build_segmentation('interests', k => 2)")
    return toy


def test_members_have_their_attributes_and_the_name_of_the_runner_up(cut: str) -> None:
    found = rows(cut, "select segment_id, segment, runner_up_id, runner_up from audience_bi.segment_members")
    names = dict(rows(cut, "select segment_id, name from segments"))
    assert found and {
        (segment, names[segment], other, names[other]) for segment, _, other, _ in found
    } == set(found)  # fmt: skip
    assert rows(cut, """
        select count(*) from audience_bi.segment_members m join users u using (user_id)
        where m.attributes is distinct from u.attributes""") == [(0,)]  # fmt: skip


def test_a_hidden_segment_has_no_members_and_is_nobodys_runner_up_by_name(cut: str) -> None:
    sizes = dict(rows(cut, "select segment_id, users from segments"))
    least = min(sizes, key=lambda segment: sizes[segment])
    rows(cut, f"update segmentations set suppress_below = {sizes[least] + 1}")
    visible = {segment for segment in sizes if sizes[segment] > sizes[least]}
    found = rows(cut, "select distinct segment_id, runner_up from audience_bi.segment_members")
    assert {segment for segment, _ in found} == visible
    assert {name for _, name in found} == ({None} if visible else set())


def test_attributes_are_rows(cut: str) -> None:
    rows(cut, """update users set attributes = '{"a": 3, "b": "x", "c": ["p", 4], "d": null, "e": true, "f": {"g": 1}}'
        where user_id = 'ann'""")  # fmt: skip
    found = rows(cut, """select attribute, value, number from audience_bi.user_attributes where user_id = 'ann'
        order by attribute, value""")  # fmt: skip
    assert found == [("a", "3", 3), ("b", "x", None), ("c", "4", 4), ("c", "p", None), ("e", "true", None)]


WIDE = """
select column_name, data_type
from information_schema.columns
where table_name = 'users_wide'
order by ordinal_position"""
FIXED = [
    ("user_id", "text"),
    ("entries", "bigint"),
    ("frequency", "double precision"),
    ("coverage", "double precision"),
]
NUMBER, TEXT = "double precision", "text"


def know(url: str, user: str, attributes: dict) -> None:
    with connect(url, autocommit=True) as connection:
        connection.execute("update users set attributes = %s where user_id = %s", [Json(attributes), user])
        connection.execute("call refresh()")


def test_attributes_are_columns_after_a_refresh(toy: str) -> None:
    rows(toy, "update users set attributes = '{}'")
    know(toy, "ann", {"age": 40, "tags": ["p", 4], "home": "x", "gone": None, "Mixed": 1, "deep": {"a": 1}})
    know(toy, "bob", {"age": 41.5, "Mixed": "one", "flag": True})
    assert rows(toy, WIDE) == [
        *FIXED, ("age", NUMBER), ("deep", TEXT), ("home", TEXT), ("tags", TEXT), ("mixed", TEXT), ("flag", TEXT)
    ]  # fmt: skip
    query = """
        select age, home, tags, mixed, flag, deep from audience_bi.users_wide
        where user_id in ('ann', 'bob') order by user_id"""
    assert rows(toy, query) == [(40, "x", "p, 4", "1", None, '{"a": 1}'), (41.5, None, None, "one", "true", None)]
    assert rows(toy, "select u.entries, u.frequency from audience_bi.users_wide u order by user_id") == rows(
        toy, "select entries, frequency from audience_bi.users order by user_id"
    )


def test_names_of_columns_are_safe_and_stay(toy: str) -> None:
    rows(toy, "update users set attributes = '{}'")
    odd = [
        "Customer Age",
        "customer_age",
        "user_id",
        "'; drop table users; --",
        "",
        '%s "q"',
        "Ж" * 70,
        "x" * 70,
        "город",
    ]
    know(toy, "ann", dict.fromkeys(odd, 1))
    names = dict(rows(toy, "select attribute, column_name from attribute_columns"))
    assert set(names) == set(odd) and len(set(names.values())) == len(odd)
    assert names["customer_age"] == "customer_age" and names["город"] == "город"
    assert names["Customer Age"].startswith("customer_age_") and names["user_id"] == "user_id_attribute"
    assert names["'; drop table users; --"] == "_drop_table_users_"
    assert all(len(name.encode()) <= 63 for name in names.values())
    assert {name for name, _ in rows(toy, WIDE)[4:]} == set(names.values())
    know(toy, "bob", {"A first one": 1})
    assert dict(rows(toy, "select attribute, column_name from attribute_columns")) == names | {
        "A first one": "a_first_one"
    }


def test_more_attributes_than_a_view_has_columns(toy: str) -> None:
    know(toy, "ann", {f"a{number:04}": number for number in range(1700)})
    know(toy, "bob", {"a1699": 1})
    names = [name for name, _ in rows(toy, WIDE)]
    assert len(names) == 1004 and "a1699" in names and "a1698" not in names


def test_numbers_that_no_column_can_hold(toy: str) -> None:
    rows(toy, "update users set attributes = '{\"worth\": 1e400}' where user_id = 'ann'; call refresh()")
    assert rows(toy, "select worth from audience_bi.users_wide where user_id = 'ann'") == [(None,)]


def test_a_column_that_becomes_one_of_texts_keeps_the_grants(toy: str) -> None:
    know(toy, "ann", {"age": 40})
    rows(toy, "grant select on audience_bi.users_wide to public")
    grants = "select relacl::text from pg_class where oid = 'audience_bi.users_wide'::regclass"
    before = rows(toy, grants)
    know(toy, "bob", {"age": "old"})
    assert ("age", TEXT) in rows(toy, WIDE)
    assert rows(toy, grants) == before
    comments = "select objsubid from pg_description where objoid = 'audience_bi.users_wide'::regclass"
    assert {number for (number,) in rows(toy, comments)} >= {0, 1, 2, 3, 4, 5}


def test_a_view_of_somebody_does_not_stop_a_refresh(toy: str) -> None:
    rows(toy, "update users set attributes = '{}'")
    know(toy, "ann", {"age": 40})
    rows(toy, "create view public.old as select age from audience_bi.users_wide")
    know(toy, "bob", {"age": "old", "home": "x"})
    assert ("age", NUMBER) in rows(toy, WIDE)
    assert rows(toy, "select age from public.old where age is not null") == [(40,)]
    rows(toy, "drop view public.old; call refresh()")
    assert ("age", TEXT) in rows(toy, WIDE) and ("home", TEXT) in rows(toy, WIDE)


HISTORY = "select distinct run_id, published_at from audience_bi.segment_history order by published_at"


def test_a_roll_back_is_one_more_point_of_history(cut: str) -> None:
    rows(cut, "call build_segmentation('interests', k => 3, warm_start => false)")
    assert [run for run, _ in rows(cut, HISTORY)] == [1, 2]
    former = rows(cut, HISTORY)
    rows(cut, "call publish_run(1)")
    assert [run for run, _ in rows(cut, HISTORY)] == [1, 2, 1]
    assert rows(cut, HISTORY)[:2] == former
    rows(cut, "delete from segmentation_runs where run_id = 2")
    assert [run for run, _ in rows(cut, HISTORY)] == [1, 1]


def test_a_run_of_old_data_is_dated_back(cut: str) -> None:
    rows(cut, "call build_segmentation('interests', k => 2, max_churn => 0, warm_start => false, seed => 5)")
    rows(cut, "call build_segmentation('interests', k => 3, max_churn => 0, warm_start => false)")
    rows(cut, "call publish_run(3, as_of => '2020-01-31 12:00Z')")
    ((run, at), *_) = rows(cut, HISTORY)
    assert (run, at.year) == (3, 2020)
    with pytest.raises(InvalidParameterValue, match="is still to come"):
        rows(cut, "call publish_run(1, as_of => now() + interval '1 hour')")


def test_the_name_of_then_stays_beside_that_of_now(cut: str) -> None:
    ((then,),) = rows(cut, "select name from segments where segment_id = 1")
    rows(cut, "call rename_segment('interests', 1, 'Skiers')")
    query = "select segment, current_name from audience_bi.segment_history where segment_id = 1"
    assert rows(cut, query) == [(then, "Skiers")]


def test_changes_have_names_and_hide_what_is_hidden(cut: str) -> None:
    rows(cut, "call rename_segment('interests', 1, 'Skiers')")
    names = dict(rows(cut, "select segment_id, name from segments"))
    found = rows(cut, "select from_segment, to_segment_id, to_segment from audience_bi.segment_changes")
    assert len(found) == rows(cut, "select count(*) from segment_changes")[0][0] > 0
    assert {(None, segment, names[segment]) for _, segment, _ in found} == set(found)
    rows(cut, "update segmentations set suppress_below = 1000")
    assert rows(cut, "select * from audience_bi.segment_changes") == []


def test_the_grid_has_every_entry_in_every_segment(cut: str) -> None:
    assert rows(cut, """
        select g.segment_id, g.entry, g.users, g.share, g.overall_share, g.lift from audience_bi.segment_grid g
        order by 1, 2""") == rows(cut, """
        with had as (
            select m.segment_id, e.entry, count(a.user_key) as users, count(*) as members
            from segment_members m
            join users u using (user_id)
            cross join entries e
            left join activity a using (user_key, entry_key)
            where e.entry in (select s.entry from segment_entries s)
            group by 1, 2
        )
        select
            h.segment_id, h.entry, h.users, h.users::float8 / h.members, o.share, h.users::float8 / h.members / o.share
        from had h
        join (select entry, sum(users)::float8 / sum(members) as share from had group by entry) o using (entry)
        order by 1, 2""")  # fmt: skip
    assert rows(cut, "select 0 in (select users from segment_grid)") == [(True,)]


def test_drivers(cut: str) -> None:
    assert rows(cut, "select * from audience_bi.segment_drivers") == rows(cut, "select * from segment_drivers")
