"""Every public function and procedure with arguments that mean nothing: each says so, as an analyst needs it."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from conftest import Cluster, _fill_toy, connect

pytestmark = pytest.mark.slow

# What an argument that is given must name for the call to get as far as the argument that is tried.
MEANT = {
    "query": "Ski Aspen",
    "raw": "Ski Aspen",
    "user_id": "ann",
    "of_user": "ann",
    "user_ids": ["ann", "bob"],
    "name": "interests",
    "segmentation": "interests",
    "audience": "skiers",
    "cursor": "crm",
    "segment_id": 1,
    "run_id": 1,
    "new_name": "Skiers",
    "embedding": "[1,0,0]",
    "factor": 2,
    "entry": "Ski Aspen",
    "attributes": "{}",
    "template": "{entry}",
    "change_id": 1,
    "definition": '{"search": "Ski Aspen", "size": 2}',
    "texts": ["Ski Aspen"],
    "attribute": "kind",
    "category": "kind",
    "belongs": True,
    "relation": "public.orders",
    "spaces": ["audience"],
}

# By type: nothing, too little, too much, what is no number, what is of another space.
ODD: dict[str, list[object]] = {
    "text": [None, "", "  ", "nobody", "x" * 100_000, "[1,0,0]", "%s {0} \\", "\u200b"],
    "text[]": [None, [], [None], ["nobody"], ["ann", None], ["ann", "ann"], [""]],
    "bigint": [None, -1, 0, 1, 2**62, 2**63 - 1, -(2**63)],
    "bigint[]": [None, [], [None], [-1], [2**63 - 1]],
    "integer": [None, -1, 0, 2**31 - 1],
    "double precision": [None, -1, 0, 1e-300, 1e300, float("nan"), float("inf"), float("-inf")],
    "double precision[]": [None, [], [None], [0.0, 0.0], [-1.0, 2.0], [float("nan"), 1.0], [1e300, 1e300], [1.0]],
    "boolean": [None, False, True],
    "jsonb": [None, "null", "{}", "[]", '"text"', "1", '{"country": null}', '{"country": {"a": [1]}}'],
    "interval": [None, "0 seconds", "-1 day", "1000000 years"],
    "timestamp with time zone": [None, "-infinity", "infinity", "0001-01-01"],
    "vector": [None, "[0,0,0]", "[1,0]", "[1,0,0,0]", "[1e38,1e38,1e38]", "[1e-38,0,0]"],
    "vector[]": [None, [], [None], ["[1,0]"], ["[0,0,0]"], ["[1,0,0]", None]],
}

# The errors of the contract: an argument, something that is not there, something that is not ready, a transaction.
EXPECTED = {"22023", "P0002", "42704", "55000", "25001"}

ROUTINES = """
select
    p.oid::regprocedure::text,
    p.proname,
    p.prokind = 'p',
    pg_get_functiondef(p.oid) ~ '\\n\\s+commit;',
    array(
        select a.name
        from unnest(p.proargnames, coalesce(p.proargmodes, array_fill('i'::"char", array[p.pronargs])))
            with ordinality a (name, mode, place)
        where a.mode in ('i', 'b')
        order by a.place
    ),
    array(select format_type(t, null) from unnest(p.proargtypes) with ordinality u (t, place) order by place),
    p.pronargdefaults
from pg_proc p
where p.pronamespace = 'audience'::regnamespace
    and p.prorettype <> 'trigger'::regtype
    and obj_description(p.oid, 'pg_proc') not like 'Internal.%'
order by 1
"""


@pytest.fixture(scope="module")
def filled(cluster18: Cluster) -> Iterator[str]:
    """The toy space with a segmentation and two audiences."""
    url = cluster18.clone("toy", _fill_toy)
    with connect(url) as connection:
        connection.execute("update entries set attributes = jsonb_build_object('kind', left(entry, 3))")
        connection.execute("call build_segmentation('interests', k => 2)")
        for name, query in (("skiers", "Ski Aspen"), ("others", "Coffee Bar")):
            connection.execute("call save_audience(%s, search => %s, size => 2)", [name, query])
    yield url


def typed(value: object, type_: str) -> tuple[str, object]:
    """The placeholder and the value of one argument."""
    if type_ == "vector[]" and isinstance(value, list):
        value = [None if each is None else str(each) for each in value]
        return "%s::text[]::vector[]", value
    return f"%s::{type_}", value


def calls(connection: psycopg.Connection) -> Iterator[tuple[str, str, list[object], bool]]:
    """What is tried, the statement, its values, and whether it commits: one argument at a time is odd."""
    for signature, name, is_procedure, commits, names, types, defaults in connection.execute(ROUTINES).fetchall():
        required = len(names) - defaults
        for tried, (odd_name, odd_type) in enumerate(zip(names, types, strict=True)):
            for odd in ODD[odd_type]:
                given = {}
                for place, (argument, type_) in enumerate(zip(names, types, strict=True)):
                    if place == tried:
                        given[argument] = typed(odd, type_)
                    elif place < required:
                        meant = "skiers" if argument == "name" and "audience" in name else MEANT[argument]
                        if type_ == "vector" and argument == "query":
                            meant = "[1,0,0]"
                        given[argument] = typed(meant, type_)
                    elif argument == "timeout":
                        given[argument] = typed("0 seconds", type_)
                arguments = ", ".join(f"{argument} => {mark}" for argument, (mark, _) in given.items())
                statement = f"{'call' if is_procedure else 'select * from'} {name}({arguments})"
                values = [value for _, value in given.values()]
                yield f"{signature}: {odd_name} => {odd!r:.40}", statement, values, commits


def test_every_meant_value_is_used(filled: str) -> None:
    with connect(filled) as connection:
        routines = connection.execute(ROUTINES).fetchall()
    required = {name for *_, names, _, defaults in routines for name in names[: len(names) - defaults]}
    assert not set(MEANT) - required, f"needless: {sorted(set(MEANT) - required)}"


def test_every_argument_that_means_nothing_is_said(filled: str) -> None:
    faults = []
    tried = 0
    with connect(filled) as connection, connect(filled, autocommit=True) as committing:
        for each in (connection, committing):
            each.execute("set statement_timeout = '60s'")
            each.commit()
        for what, statement, values, commits in list(calls(connection)):
            tried += 1
            try:
                (committing if commits else connection).execute(statement.encode(), values)
            except psycopg.Error as error:
                if error.sqlstate not in EXPECTED:
                    faults.append(f"{what}: {error.sqlstate}: {str(error).splitlines()[0]}")
            connection.rollback()
    assert tried > 1000
    assert not faults, "\n".join([f"{len(faults)} of {tried} calls:", *faults])
