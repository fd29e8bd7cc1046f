"""Four spaces over the same people, of texts, behaviour, both and words, through a dump, an upgrade and a kill."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from catalog import definitions
from conftest import TOY_MODEL, Cluster, connect
from former import former_space
from pgaudience.database import open_space
from pgaudience.embedding.registry import measure
from pgaudience.installing import migrate
from pgaudience.pipeline import catch_up
from test_behaviour import FILL, rows, trained
from test_blend import fill_both
from test_dump_restore import dump, restore

pytestmark = pytest.mark.slow

FOUR = {"audience": TOY_MODEL, "taste": ("behaviour", 4), "both": ("blend", 7), "words": ("tfidf", 4)}
LEARNED = ("taste", "both", "words")


def fill(url: str) -> None:
    fill_both(url)
    migrate(
        url, "words", model="tfidf", weighting=None, of="audience", measure=lambda model: measure(model, dimensions=4)
    )
    trained(url, "words")


@pytest.fixture
def four(cluster: Cluster) -> str:
    return cluster.clone("four", fill)


def stored(url: str) -> dict[str, list[tuple]]:
    """What cannot be made again from the people alone, or not the same: vectors, tokens, what a space is."""
    queries = {
        "space": "select model, dimensions, base, parts, part_weights, trained_at, trained_pairs from space",
        "entry_vectors": "select entry_key, embedding::text from entry_vectors order by 1",
        "tokens": "select token, embedding::text from tokens order by 1",
    }
    return {f"{schema}.{name}": rows(url, query, schema) for schema in FOUR for name, query in queries.items()}


def answers(url: str, schema: str) -> list[tuple]:
    """What a text finds, where the space has one of its own, or of another."""
    return rows(url, "select user_id, round(score::numeric, 5) from search_users('ski 3', k => 5)", schema)


def bring_up_to_date(url: str) -> None:
    with connect(url) as connection:
        catch_up(connection, open_space(connection, "audience"), None)


def test_a_dump_has_all_four(four: str, cluster: Cluster, tmp_path: Path) -> None:
    dump(four, cluster.major, tmp_path / "dump")
    fresh = cluster.clone("bare", lambda _: None)
    restore(fresh, cluster.major, tmp_path / "dump")
    assert stored(fresh) == stored(four)
    for schema in FOUR:
        assert definitions(fresh, schema) == definitions(four, schema)
        assert answers(fresh, schema) == answers(four, schema)
    rows(fresh, "insert into activity_input values ('zoe', 'ski 3', 3)", "audience")
    bring_up_to_date(fresh)
    for schema in FOUR:
        assert rows(fresh, "select count(*) from user_vectors where user_id = 'zoe'", schema) == [(1,)]


def test_an_upgrade_keeps_all_four(cluster: Cluster, database: str) -> None:
    """From a release that had no sessions yet: the tables alone, with what was stored in them."""
    for schema, (model, dimensions) in FOUR.items():
        base = None if schema == "audience" else "audience"
        former_space(database, "0028", model=model, dimensions=dimensions, schema=schema, base=base)
        for relation in () if base is None else ("users", "entries", "activity", "attribute_kinds"):
            rows(database, f"create view {relation} as select * from audience.{relation}", schema)
    rows(database, FILL.replace("call refresh();", ""), "audience")
    for schema in LEARNED:
        numbers = ", ".join(f"cos({n} + entry_key)" for n in range(FOUR[schema][1]))
        rows(database, "insert into entry_vectors (entry_key, embedding)"
                       f" select entry_key, l2_normalize(array[{numbers}]::vector) from entries", schema)  # fmt: skip
    rows(database, "update space set parts = '{audience,taste}', part_weights = '{0.5,0.5}'", "both")
    rows(database, "insert into tokens values ('ski', '[1, 0, 0, 0]'), ('horror', '[0, 1, 0, 0]')", "words")
    before = stored(database)

    done = migrate(database, "words", model=None, weighting=None, measure=measure)
    assert {each.space.schema for each in (done, *done.relatives) if each.changed} == set(FOUR)
    assert stored(database) == before
    for schema in FOUR:
        rows(database, "call refresh()", schema)
        assert rows(database, "select count(*) from user_vectors", schema) == [(40,)]
        assert len(answers(database, schema)) == 5
    for schema in LEARNED:
        assert trained(database, schema).entries == 20


TRAIN = """
import sys
from pgaudience.cli import main
sys.argv[1:] = ["--database", sys.argv[1], "--schema", sys.argv[2], "train"]
main()
"""


def test_kills_while_it_trains_change_nothing(four: str) -> None:
    """Each process dies where it is about to store, since somebody else holds the table."""
    before = stored(four)
    tables = [f'"{schema}".entry_vectors' for schema in LEARNED]
    named = ", ".join(f"'{table}'::regclass" for table in tables)
    waiting = f"select count(distinct relation) from pg_locks where not granted and relation in ({named})"
    with connect(four) as holder:
        holder.execute(f"lock table {', '.join(tables)} in share mode".encode())
        processes = [
            subprocess.Popen([sys.executable, "-c", TRAIN, four, schema], stderr=subprocess.DEVNULL)
            for schema in LEARNED
        ]
        for _ in range(600):
            if rows(four, waiting) == [(len(LEARNED),)]:
                break
            time.sleep(0.1)
        assert rows(four, waiting) == [(len(LEARNED),)]
        for process in processes:
            process.send_signal(signal.SIGKILL)
            process.wait()
    assert stored(four) == before
    for schema in LEARNED:
        done = trained(four, schema)
        assert (done.entries, done.without) == (20, 0)
    bring_up_to_date(four)
