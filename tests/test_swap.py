"""Two spaces over the same people exchange their models: `pgaudience swap`."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray

from catalog import definitions
from conftest import TOY_MODEL, Cluster, _fill_toy, connect
from pgaudience.database import ModelChanged, Space, open_space
from pgaudience.embedding.embed import embed_pending
from pgaudience.embedding.registry import measure
from pgaudience.errors import PgaudienceError
from pgaudience.indexing import create_indexes
from pgaudience.installing import migrate, objects, swap
from pgaudience.installing.exchange import MODEL, PLACE
from pgaudience.mapping import make_map
from pgaudience.progress import progress
from pgaudience.worker.desk import Desk
from test_dump_restore import dump, restore
from test_family import derive, rows

pytestmark = [pytest.mark.slow, pytest.mark.turns("swap")]

# Another model of the toy entries: x is skiing, or everyday life below zero, y is horror. Segments are others, and so
# are their numbers: of `taste` each is one there, of `coarse` one is new.
FILL = (
    "insert into entry_vectors (entry_key, embedding)"
    " select entry_key,"
    " case when entry ~ 'Ski|Snow' then '[1, 0]'::vector when entry ~ 'H' then '[0, 1]' else '[-1, 0]' end"
    " from entries where entry <> 'Not Embedded Yet'",
    "insert into queries (query, embedding, embedded_at) values ('ski', '[1, 0]', now())",
    "call refresh()",
)
SEGMENTS = "call build_segmentation('{}', centered => false, initial_centroids => '{{{}}}'::vector[])"
HERE = {"taste": '"[0, 0, 1]", "[0, 1, 0]", "[1, 0, 0]"', "coarse": '"[0.7, 0.7, 0]", "[0, 0, 1]"'}
THERE = dict.fromkeys(HERE, '"[-1, 0]", "[0, 1]", "[1, 0.3]"')


def fill(url: str) -> None:
    _fill_toy(url)
    derive(url, "next")
    with connect(url, "next", autocommit=True) as connection:
        for statement in FILL:
            connection.execute(statement.encode())
    for schema, segmentations in (("audience", HERE), ("next", THERE)):
        for name, centroids in segmentations.items():
            rows(url, SEGMENTS.format(name, centroids), schema)


@pytest.fixture
def pair(cluster: Cluster) -> str:
    """The toy space `audience`, and `next` over its people, each with a segmentation `taste`."""
    return cluster.clone("swap", fill)


def content(url: str, schema: str) -> dict[str, list[tuple]]:
    queries = {
        "model": "select model, dimensions from space",
        "vectors": "select user_id, embedding::text from user_vectors order by user_id",
        "centered": "select user_key, embedding::text from centered_user_vectors order by 1",
        "live": "select user_id, embedding::text from user_vectors_live order by user_id",
        "search": "select user_id, round(score::numeric, 9) from search_users('ski')",
        "segments": "select segmentation, users from segments order by 1, 2",
        "status": "select entries, entries_embedded, users, users_with_vector, stale from status",
        "users": "select user_id, attributes from users order by user_key",
    }
    return {name: rows(url, query, schema) for name, query in queries.items()}


def shape(url: str) -> list[tuple]:
    """Every object of both spaces, dimensions of vectors aside."""
    found = [row for schema in ("audience", "next", "audience_bi", "next_bi") for row in definitions(url, schema)]
    return [(kind, name, str(definition).replace("vec(2)", "vec(3)").replace("vector(2)", "vector(3)"), *rest)
            for kind, name, definition, *rest in found]  # fmt: skip


# What of one schema stands on what of another: views and tables, that is, on more than the people.
CROSSINGS = """
select distinct n.nspname, coalesce(c.relname, p.proname), m.nspname, coalesce(t.relname, f.proname)
from pg_depend d
left join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
left join pg_trigger g on d.classid = 'pg_trigger'::regclass and g.oid = d.objid
left join pg_class c
    on c.oid = coalesce(r.ev_class, g.tgrelid, case d.classid when 'pg_class'::regclass then d.objid end)
left join pg_proc p on d.classid = 'pg_proc'::regclass and p.oid = d.objid
left join pg_class t on d.refclassid = 'pg_class'::regclass and t.oid = d.refobjid
left join pg_proc f on d.refclassid = 'pg_proc'::regclass and f.oid = d.refobjid
join pg_namespace n on n.oid = coalesce(c.relnamespace, p.pronamespace)
join pg_namespace m on m.oid = coalesce(t.relnamespace, f.pronamespace)
where n.nspname in ('audience', 'next') and m.nspname in ('audience', 'next') and n.nspname <> m.nspname
order by 1, 2, 3, 4
"""


def test_each_answers_with_the_model_of_the_other(pair: str) -> None:
    before = {schema: content(pair, schema) for schema in ("audience", "next")}
    former, crossings = shape(pair), rows(pair, CROSSINGS)
    done = swap(pair, "audience", "next")
    assert (done.space, done.other) == (Space("audience", "tests:taste", 2), Space("next", *TOY_MODEL, base="audience"))
    assert content(pair, "audience") == before["next"]
    assert content(pair, "next") == before["audience"]
    assert shape(pair) == former
    assert rows(pair, CROSSINGS) == crossings
    for schema in ("audience", "next"):
        assert not migrate(pair, schema, model=None, weighting=None, measure=lambda _: TOY_MODEL).changed


class Model:
    """A provider for a space as somebody has found it."""

    batch_size = 8

    def __init__(self, space: Space) -> None:
        self.name, self.dimensions = space.model, space.dimensions

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.ones((len(texts), self.dimensions), dtype=np.float32)

    embed_queries = embed

    def count_tokens(self, texts: Sequence[str]) -> int:
        return len(texts)


def test_every_table_goes_with_the_model_or_stays(pair: str) -> None:
    tables = "select relname from pg_class where relkind = 'r' and relnamespace = 'audience'::regnamespace"
    assert {name for (name,) in rows(pair, tables)} == {*MODEL, *PLACE}
    assert not {*MODEL} & {*PLACE}


def test_segments_are_carried_over_by_their_members(pair: str) -> None:
    assert segments(pair) == {1: "bob dan", 2: "cy eve", 3: "ann"}
    assert segments(pair, "next") == {1: "bob dan", 2: "ann eve", 3: "cy"}
    rows(pair, "call renumber_segments('coarse', '{3, 2, 1}')", "next")
    assert segments(pair, segmentation="coarse") == {1: "ann cy eve", 2: "bob dan"}
    rows(pair, "call rename_segment('taste', 2, 'Night owls')", "audience")
    rows(pair, "call save_audience('owls', segmentation => 'taste', segments => array[2])", "audience")
    rows(pair, "call save_audience('skiers', segmentation => 'coarse', segments => array[2])", "next")
    rows(pair, "update segmentations set suppress_below = 2", "audience")
    outbox = "select segmentation, user_id, from_segment_id, to_segment_id from segment_changes order by change_id"
    known = rows(pair, outbox, "audience")

    swap(pair, "audience", "next")
    assert segments(pair) == {1: "bob dan", 2: "cy", 3: "ann eve"}
    assert segments(pair, segmentation="coarse") == {1: "ann eve", 2: "bob dan", 4: "cy"}
    assert segments(pair, "next") == {1: "bob dan", 2: "cy eve", 3: "ann"}
    assert rows(pair, "select name from segments where segment_id = 2 and segmentation = 'taste'", "audience") == [
        ("Night owls",)
    ]
    assert rows(pair, "select distinct suppress_below from segmentations", "audience") == [(2,)]
    assert rows(pair, "select definition -> 'segments' from audiences", "next") == [([1],)]
    assert rows(pair, outbox, "audience") == [*known, ("coarse", "cy", 1, 4), ("taste", "eve", 2, 3)]

    assert rows(pair, "select audience_is_stale('owls')", "audience") == [(True,)]
    rows(pair, "call refresh_audiences()", "audience")
    assert rows(pair, "select user_id, change from audience_changes order by change_id", "audience") == [
        ("cy", "entered"), ("eve", "entered"), ("eve", "left"),
    ]  # fmt: skip


def segments(url: str, schema: str = "audience", segmentation: str = "taste") -> dict[int, str]:
    """Who is in which segment."""
    query = f"select segment_id, string_agg(user_id, ' ' order by user_id) from segment_members" \
            f" where segmentation = '{segmentation}' group by 1"  # fmt: skip
    return dict(rows(url, query, schema))


def test_to_swap_again_is_to_swap_back(pair: str) -> None:
    rows(pair, "call rename_segment('coarse', 1, 'Out and about')", "audience")
    rows(pair, "call rename_segment('coarse', 2, 'Cinema')", "next")

    def everything() -> list[object]:
        names = "select segmentation, segment_id, name, users from segments order by 1, 2"
        audience = [content(pair, "audience"), rows(pair, names, "audience"), segments(pair, segmentation="coarse")]
        return [*audience, content(pair, "next"), rows(pair, names, "next"), segments(pair, "next", "coarse")]

    before = everything()
    swap(pair, "audience", "next")
    once = everything()
    swap(pair, "next", "audience")
    assert everything()[:3] == before[:3]
    swap(pair, "audience", "next")
    assert everything() == once


def test_what_stays_where_it_is(pair: str) -> None:
    """Rights of others, indexes and tables in place of views; a release of functions comes after it as ever."""
    for schema in ("audience", "next"):
        with connect(pair, schema) as connection:
            create_indexes(connection, open_space(connection, schema), pair)
    migrate(pair, "audience", model=None, weighting=None, materialization="tables", measure=lambda _: TOY_MODEL)
    rows(pair, "grant select on user_vectors, user_vectors_live to pg_monitor", "audience")
    rows(
        pair,
        "grant select (user_key) on entry_vectors to pg_monitor with grant option".replace("user", "entry"),
        "audience",
    )
    before = {schema: content(pair, schema) for schema in ("audience", "next")}
    former = shape(pair)

    swap(pair, "audience", "next")
    assert shape(pair) == former
    assert content(pair, "audience") == before["next"]
    rows(
        pair,
        "update users set attributes = '{}' where user_id = 'ann'; delete from users where user_id = 'bob'",
        "audience",
    )
    for schema in ("audience", "next"):
        rows(pair, "insert into changes values ('space'); call refresh()", schema)
        assert rows(pair, "select count(*) from user_vectors", schema) == [(4,)]
        rows(pair, "update space set bundle_digest = null", schema)
    before = {schema: content(pair, schema) for schema in ("audience", "next")}
    done = migrate(pair, "next", model=None, weighting=None, measure=lambda _: TOY_MODEL)
    assert [done.changed, *(each.changed for each in done.relatives)] == [True, True]
    assert {schema: content(pair, schema) for schema in ("audience", "next")} == before
    assert shape(pair) == former


def test_a_dump_of_what_was_swapped(pair: str, cluster: Cluster, tmp_path: Path) -> None:
    swap(pair, "audience", "next")
    dump(pair, cluster.major, tmp_path / "dump")
    fresh = cluster.clone("bare", lambda _: None)
    restore(fresh, cluster.major, tmp_path / "dump")
    for schema in ("audience", "next"):
        assert {**content(fresh, schema), "centered": 0} == {**content(pair, schema), "centered": 0}
        assert definitions(fresh, schema) == definitions(pair, schema)
    swap(fresh, "audience", "next")
    assert content(fresh, "next")["model"] == [("tests:taste", 2)]


def test_readers_go_on(pair: str) -> None:
    """A session that has asked before, of vectors of other dimensions, asks after it; two swaps at once take turns."""
    ended = threading.Event()
    found: list[str] = []

    def ask() -> None:
        with psycopg.connect(pair, autocommit=True) as reader:
            while not ended.is_set():
                found.append(reader.execute("select user_id from audience.search_users('ski', k => 1)").fetchone()[0])  # type: ignore[index]
                reader.execute("select user_id, similarity from audience.similar_users('ann')").fetchall()
                reader.execute("select * from audience.explain_segment('taste', 'ann')").fetchall()

    def swap_one() -> None:
        swap(pair, "audience", "next")

    asking = [threading.Thread(target=ask) for _ in range(2)]
    failed: list[BaseException] = []
    threading.excepthook = lambda args: failed.append(args.exc_value)  # type: ignore[assignment]
    try:
        for thread in asking:
            thread.start()
        swapping = [threading.Thread(target=swap_one) for _ in range(2)]
        for thread in swapping:
            thread.start()
        for thread in swapping:
            thread.join()
    finally:
        ended.set()
        for thread in asking:
            thread.join()
        threading.excepthook = threading.__excepthook__
    assert failed == []
    assert set(found) == {"ann"}
    assert content(pair, "audience")["model"] == [TOY_MODEL]


def test_a_swap_that_is_killed_leaves_all_as_it_was(pair: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = shape(pair), content(pair, "audience"), segments(pair, "next")

    def die(connection: psycopg.Connection) -> None:
        connection.execute("select pg_terminate_backend(pg_backend_pid())")

    monkeypatch.setattr(objects, "compile_anew", die)
    with pytest.raises(psycopg.OperationalError):
        swap(pair, "audience", "next")
    assert (shape(pair), content(pair, "audience"), segments(pair, "next")) == before


# What is refused


def refused(url: str, one: str, other: str, message: str) -> str:
    with pytest.raises(PgaudienceError, match=message) as error:
        swap(url, one, other)
    return str(error.value.hint)


def test_what_cannot_be_swapped(pair: str) -> None:
    migrate(pair, "lone", model=None, weighting=None, measure=lambda _: TOY_MODEL)
    derive(pair, "known", model=("attributes", 4))
    refused(pair, "audience", "nowhere", "there is no space 'nowhere'")
    refused(pair, "audience", "audience", "with itself")
    refused(pair, "audience", "lone", "not over the same people")
    refused(pair, "audience", "known", "'known' is a space of attributes")
    rows(pair, "update space set bundle_digest = 'former'", "next")
    assert "--schema next migrate" in refused(pair, "audience", "next", "'next' is not up to date")


def test_what_readers_would_miss(pair: str) -> None:
    rows(
        pair, "call build_segmentation('own', k => 2); insert into activity_input values ('zoe', 'Tea', 3)", "audience"
    )
    with connect(pair) as connection:
        create_indexes(connection, open_space(connection, "audience"), pair)
        make_map(connection, open_space(connection, "audience"), "users", "pca", None, 2)
    rows(pair, "delete from entry_vectors where entry_key = 1", "next")
    hint = refused(
        pair, "audience", "next", "user vectors are out of date; 1 entries .* 'own' is not built there; .* index"
    )
    for mend in ("refresh --all", "embed", "segment 'own'", "index", "map --of users --method pca"):
        assert f"pgaudience --schema next {mend}" in hint
    assert swap(pair, "audience", "next", force=True).space.model == "tests:taste"


def test_views_of_somebody_else(pair: str) -> None:
    rows(pair, "create view public.mine as select user_id from user_vectors", "audience")
    assert "create it again" in refused(pair, "audience", "next", "view mine would go along")
    rows(pair, "drop view public.mine; create view public.mine as select * from segments", "audience")
    assert "create it again" in refused(pair, "audience", "next", "view mine depends on")
    assert segments(pair) == {1: "bob dan", 2: "cy eve", 3: "ann"}


# What is at work meanwhile, and what stands beside them


def test_a_process_at_work_for_the_former_model_stores_nothing(pair: str) -> None:
    """Of the same dimensions, so that nothing else would tell; a worker goes on with the model that there is."""
    rows(pair, "delete from entry_vectors where entry_key = 1", "audience")
    former = Space("audience", "tests:former", 3)
    with (
        connect(pair) as connection,
        progress("", 1, "texts") as shown,
        pytest.raises(ModelChanged, match="was of tests"),
    ):
        embed_pending(connection, Model(former), shown)
    with connect(pair, autocommit=True) as connection:
        desk = Desk(connection, former, Model, rest=3600)
        assert desk.embed_batch()
        assert rows(pair, "select count(*) from entry_vectors where entry_key = 1", "audience") == [(0,)]
        assert desk.embed_batch()
    assert rows(pair, "select count(*) from entry_vectors where entry_key = 1", "audience") == [(1,)]


def test_a_blend_keeps_its_parts(pair: str) -> None:
    derive(pair, "taste", model=("behaviour", 4))
    migrate(pair, "mixed", model="blend", weighting=None, parts={"audience": 0.5, "taste": 0.5}, measure=measure)
    swap(pair, "audience", "next", force=True)
    assert rows(pair, "select parts from space", "mixed") == [(["next", "taste"],)]
    assert rows(pair, "select has_table_privilege('mixed_reader', 'next.entry_vectors', 'select')", "mixed") == [
        (True,)
    ]
    assert rows(pair, "select has_schema_privilege('mixed_reader', 'next', 'usage')", "mixed") == [(True,)]
