"""The plans of what reads whole runs: the same whether statistics know of a run or not."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg
import pytest

from conftest import connect
from test_segment_quality import fill
from test_segmentation import build, clumps

QUESTIONS = [
    "select * from compare_runs(2, 3)",
    "call publish_run(2)",
    "call judge_run(3)",
    "call describe_run(3)",
    "select * from segment_quality('interests')",
    "select * from member_silhouettes('interests')",
    "select * from label_agreement('interests', 'home')",
]


def closed(plan: str, start: int) -> str:
    """Return the node of a plan, as debug_print_plan shows it, that begins at this brace."""
    depth = 0
    for brace in re.finditer(r"\\.|[{}]", plan[start:]):
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if depth == 0:
            return plan[start : start + brace.end()]
    raise AssertionError(plan)


def read_again(plan: str) -> Iterator[set[str]]:
    """Yield for each nested loop of a plan how it reads relations on its inner side: once for each outer row."""
    for loop in re.finditer(r"\{NESTLOOP\b", plan):
        node = closed(plan, loop.start())
        outer = closed(node, node.index("{", node.index(":join.plan.lefttree")))
        rest = node[node.index(outer) + len(outer) :]
        inner = closed(rest, rest.index("{", rest.index(":join.plan.righttree")))
        yield set(re.findall(r"\{([A-Z]+SCAN)\b", inner)) - {"FUNCTIONSCAN", "SUBQUERYSCAN", "VALUESSCAN"}


@pytest.fixture
def rebuilt(space: str) -> str:
    """A space whose segmentation was built three times; statistics know of the first."""
    fill(space, clumps([300, 200, 100]))
    with connect(space) as connection:
        connection.execute("update users set attributes = jsonb_build_object('home', user_key % 3)")
        for table in ("segment_assignments", "run_entries"):
            connection.execute(f"alter table {table} set (autovacuum_enabled = false)".encode())
        build(connection, "interests", k=3)
        connection.execute("analyze")
        build(connection, "interests", k=3)
        build(connection, "interests", k=3)
    return space


@pytest.mark.slow
@pytest.mark.parametrize("question", ["call build_segmentation('interests', k => 3)", *QUESTIONS])
def test_no_relation_is_read_for_each_user_of_a_new_run(rebuilt: str, question: str) -> None:
    """A nested loop over two runs of 120,000 users took eleven minutes, where a hash join takes 0.2 s."""
    plans: list[str] = []

    def take(notice: psycopg.errors.Diagnostic) -> None:
        if (notice.message_primary or "").startswith("plan:"):
            plans.append(notice.message_detail or "")

    with connect(rebuilt) as connection:
        (assignments,) = connection.execute("select 'segment_assignments'::regclass::oid").fetchone() or (0,)
        connection.execute("set debug_print_plan = on")
        connection.execute("set client_min_messages = 'log'")
        connection.add_notice_handler(take)
        connection.execute(question.encode())
    reading = [plan for plan in plans if re.search(rf":relationOids \(o [\d ]*\b{assignments}\b", plan)]
    assert reading
    assert [scans for plan in reading for scans in read_again(plan) if scans] == []


@pytest.mark.parametrize("view", ["segment_members", "audience_bi.segment_members"])
def test_members_are_expected_as_many_as_they_are(rebuilt: str, view: str) -> None:
    """Expected to be one, they were joined by nested loops: with the map of 2,000 users, in eleven seconds."""
    with connect(rebuilt) as connection:
        connection.execute("analyze")
        (users,) = connection.execute(f"select count(*) from {view}".encode()).fetchone() or (0,)
        ((plan,),) = connection.execute(f"explain (format json) select * from {view}".encode()).fetchall()
    assert plan[0]["Plan"]["Plan Rows"] > users / 10
