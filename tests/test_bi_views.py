"""What dashboards read: names beside numbers, attributes as rows, a history that stays."""

from __future__ import annotations

import pytest
from psycopg.errors import InsufficientPrivilege, InvalidParameterValue, UndefinedFunction

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


@pytest.mark.turns("bi_only")
def test_a_role_of_the_views_alone_sees_nothing_else(cut: str) -> None:
    rows(cut, "call save_audience('skiers', search => 'ski', size => 3)")
    views = {view for (view,) in rows(cut, "select viewname from pg_views where schemaname = 'audience_bi'")}
    refused = set()
    with connect(cut, autocommit=True) as connection:
        connection.execute("create role bi_only nologin")
        try:
            connection.execute("grant usage on schema audience_bi to bi_only")
            connection.execute("grant select on all tables in schema audience_bi to bi_only")
            connection.execute("set role bi_only")
            for view in views:
                try:
                    connection.execute(f"select * from audience_bi.{view}".encode()).fetchall()
                except (InsufficientPrivilege, UndefinedFunction):
                    refused.add(view)
            for table in ("users", "activity", "segment_members", "run_segments", "segment_descriptions"):
                with pytest.raises(InsufficientPrivilege):
                    connection.execute(f"select * from audience.{table}".encode())
        finally:
            connection.execute("reset role")
            connection.execute("drop owned by bi_only")
            connection.execute("drop role bi_only")
    assert len(views) > 15 and refused == {"audiences", "audience_overlap", "status"}
