"""Distributed spaces on a real Citus, whose coordinator PGAUDIENCE_TEST_CITUS names, beside spaces that are not."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event, local

import numpy as np
import psycopg
import pytest
from click.testing import CliRunner
from psycopg import sql
from psycopg.conninfo import make_conninfo

from conftest import connect
from pgaudience.checking import run_checks
from pgaudience.cli import cli
from pgaudience.database import SpaceConnection
from pgaudience.errors import PgaudienceError
from pgaudience.installing import Migration, migrate
from pgaudience.loading import sharded
from pgaudience.loading.load import load
from pgaudience.loading.merge import Mode
from pgaudience.loading.proposals import ProposedKeys
from pgaudience.reading import Columns, Rejects, open_source, read_users
from pgaudience.refresh import refresh
from test_load import ACTIVITY, GUESSED, rows

VARIABLE = "PGAUDIENCE_TEST_CITUS"
DIMENSIONS, USERS, ENTRIES = 8, 300, 60

VECTORS = "select user_id, entries, frequency, coverage, weight, embedding::real[] from user_vectors order by user_id"
CENTERED = "select user_id, embedding::real[] from centered_user_vectors order by user_id"
STATISTICS = (
    "select e.entry, s.users, s.frequency, s.idf from entry_stats s join entries e using (entry_key) order by 1"
)

QUERY = "(select embedding from entry_vectors join entries using (entry_key) where entry = 'e1')"
KEY = "(select entry_key from entries where entry = '{}')"
EXTRAS = 'k => 7, filter => \'{"home": "city"}\', min_entries => 4'

# What is to answer the same, row by row.
QUESTIONS = [
    f"select * from search_users({QUERY}, mode => 'mean')",
    f"select * from search_users({QUERY}, mode => 'mean', {EXTRAS})",
    f"select * from search_users({QUERY}, k => 400)",
    f"select * from search_users({QUERY}, {EXTRAS})",
    f"select * from search_users({QUERY}, mode => 'evidence', breadth => 0.6, padded => false, k => 50)",
    f"select * from search_users({QUERY}, evidence_weight => 5, k => 0)",
    "select * from search_users('e2', k => 5)",
    "select * from search_entries('e2', k => 5)",
    "select * from similar_users('u7')",
    f"select * from similar_users('u7', centered => false, {EXTRAS})",
    "select * from similar_users('u7', by => 'entries')",
    f"select * from similar_users('u7', by => 'entries', {EXTRAS})",
    "select * from similar_users('u7', by => 'entries', k => 400)",
    "select * from similar_users('u7', by => 'both', k => 400)",
    f"select * from similar_users('u7', by => 'both', centered => false, {EXTRAS})",
    "select * from lookalikes(array['u1', 'u2', 'u3'])",
    "select * from lookalikes(array['u1', 'u2'], unlike => array['u9'], weights => '{1, 2}', fraction => 0.1)",
    "select * from lookalikes(array['u1'], fraction => 0.5, filter => '{\"home\": \"city\"}', min_entries => 5)",
    "select * from user_similarity(array['u1', 'u2', 'u5'])",
    "select * from explain_match('u3', 'e2')",
    "select * from explain_match('u3', 'e2', mode => 'mean')",
    "select * from explain_match('u3', 'e2', mode => 'evidence', breadth => 1)",
    "select users, users_with_vector, coverage, stale from status",
    "select * from audience_bi.users order by user_id",
    "select * from audience_bi.users_wide order by user_id",
    "select * from audience_bi.user_attributes order by user_id, attribute",
    "select entry, users, frequency from audience_bi.entries order by entry",
]

OF_SEGMENTS = [
    "select segment_id, name, users, share, cohesion, silhouette from segments where segmentation = 'all' order by 1",
    "select user_id, segment_id, similarity, runner_up_id, margin from segment_members order by segmentation, 1",
    "select segment_id, entry, users, lift, z_score from segment_entries where segmentation = 'all' order by 1, 2",
    "select segment_id, attribute, value, share, mean, median from segment_attributes order by segmentation, 1, 2, 3",
    "select * from segment_quality('all', sample_size => 50)",
    "select * from assign_segment('all', 'u8')",
    "select user_id, simplified_silhouette from member_silhouettes('all', sample_size => 50) order by 1",
    "select * from segment_examples('all', 1)",
    "select * from segment_examples('some', 2, k => 3)",
    "select * from explain_segment('all', 'u8')",
    "select * from explain_segment('some', 'u8')",
    "select iterations, inertia, users, churn from segmentation_runs order by run_id",
    "select user_id, from_segment_id, to_segment_id from segment_changes order by run_id, 1",
    "select segment_id, users from audience_bi.segments order by segmentation, 1",
    "select user_id, segment_id from audience_bi.segment_members order by segmentation, 1",
]


def make(url: str, schema: str, *, distributed: bool) -> Migration:
    return migrate(
        url, schema, model=None, weighting=None, distributed=distributed,
        measure=lambda _: ("tests:handmade", DIMENSIONS),
    )  # fmt: skip


def drop(url: str, schema: str) -> None:
    """Remove a space and its roles."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("set client_min_messages = error")
        for name in (schema, f"{schema}_bi"):
            connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(name)))
        for suffix in ("reader", "writer", "bi_reader"):
            connection.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(f"{schema}_{suffix}")))


class Room:
    """One space, to load into and to ask."""

    def __init__(self, url: str, schema: str, folder: Path) -> None:
        self.url, self.schema, self._folder = url, schema, folder

    def connect(self, **options: object) -> SpaceConnection:
        return connect(self.url, self.schema, **options)

    def load(self, text: str, *, users: str | None = None, mode: Mode = "replace", columns: Columns = GUESSED) -> None:
        (self._folder / "rows.csv").write_text(text)
        rejects, people = Rejects(), ()
        if users is not None:
            (self._folder / "users.csv").write_text(users)
            people = read_users(self._folder / "users.csv", None, None, rejects)
        with self.connect() as connection:
            source = open_source(self._folder / "rows.csv", format=None, columns=columns, rejects=rejects)
            load(connection, [source], users=people, mode=mode)

    def refresh(self) -> None:
        with self.connect() as connection:
            refresh(connection)

    def execute(self, statement: str) -> None:
        with self.connect() as connection:
            connection.execute(statement.encode())

    def ask(self, query: str) -> list[tuple]:
        with self.connect() as connection:
            return connection.execute(query.replace("audience_bi", f"{self.schema}_bi").encode()).fetchall()

    def plan(self, statement: str) -> str:
        return "\n".join(line for (line,) in self.ask(f"explain (costs off) {statement}"))

    def fill(self) -> None:
        """Load users of a few entries each, with attributes; a few entries have no vector."""
        random = np.random.default_rng(0)
        vectors = random.normal(size=(ENTRIES, DIMENSIONS))
        pairs = [
            f"u{user},e{entry},{random.integers(1, 30)},2024-0{random.integers(1, 9)}-01"
            for user in range(USERS)
            for entry in sorted(set((ENTRIES * random.random(6) ** 2).astype(int)))
        ]
        people = [f"u{user},{'city' if user % 3 else 'country'},{20 + user % 50}" for user in range(USERS)]
        self.load(
            "\n".join(["user,entry,count,occurred_at", *pairs]) + "\n",
            users="\n".join(["user,home,age", *people]) + "\n",
        )
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.executemany(
                "insert into entry_vectors (entry_key, embedding)"
                " select entry_key, l2_normalize(%s::vector) from entries where entry = %s",
                [(str(vector.tolist()), f"e{entry}") for entry, vector in enumerate(vectors) if entry % 9],
            )
        self.execute("update entries set attributes = jsonb_build_object('third', substr(entry, 2)::bigint % 3)")
        self.refresh()


@pytest.fixture(scope="module")
def citus() -> str:
    """The coordinator."""
    url = os.environ.get(VARIABLE)
    if url is None:
        pytest.skip(f"needs a cluster of Citus with pgvector: {VARIABLE} is the URL of its coordinator")
    return url


@pytest.fixture(scope="module")
def rooms(citus: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Room, Room]]:
    """The same data in a distributed space and in one that is not."""
    token, folder = secrets.token_hex(4), tmp_path_factory.mktemp("rows")
    names = (f"far_{token}", f"near_{token}")
    try:
        for name in names:
            make(citus, name, distributed=name.startswith("far"))
            Room(citus, name, folder).fill()
        yield Room(citus, names[0], folder), Room(citus, names[1], folder)
    finally:
        for name in names:
            drop(citus, name)


@pytest.fixture
def people(rooms: tuple[Room, Room]) -> Iterator[dict[str, str]]:
    """Roles that may log in, by what they are members of; every server has to let them in without a password."""
    far = rooms[0]
    names = {kind: f"{far.schema}_{kind}_login" for kind in ("reader", "bi_reader", "writer")}
    for kind, name in names.items():
        far.execute(f"create role {name} login in role {far.schema}_{kind}")
    yield {kind: make_conninfo(far.url, user=name) for kind, name in names.items()}
    for name in names.values():
        far.execute(f"drop role {name}")


def same(mine: object, theirs: object) -> bool:
    """Whether two answers are the same to the sixth digit."""
    if isinstance(mine, list | tuple) and isinstance(theirs, list | tuple):
        return len(mine) == len(theirs) and all(map(same, mine, theirs))
    if isinstance(mine, float) and isinstance(theirs, float):
        return mine == pytest.approx(theirs, rel=1e-5, abs=1e-6)
    return mine == theirs


def assert_same(rooms: tuple[Room, Room], query: str) -> list[tuple]:
    far, near = (room.ask(query) for room in rooms)
    assert len(far) == len(near), query
    for mine, theirs in zip(far, near, strict=True):
        assert same(mine, theirs), (query, mine, theirs)
    return far


def test_without_citus_nothing_changes(database: str) -> None:
    with pytest.raises(PgaudienceError, match="extension citus is missing") as caught:
        make(database, "audience", distributed=True)
    assert "Nothing was changed" in (caught.value.hint or "")
    assert rows(database, "select to_regnamespace('audience') is null, to_regrole('audience_reader') is null")[0][0]
    make(database, "audience", distributed=False)
    with pytest.raises(PgaudienceError, match="extension citus is missing"):
        make(database, "audience", distributed=True)
    assert rows(database, "select distributed, materialization from space") == [(False, "views")]


@pytest.mark.slow
def test_users_have_the_same_vectors(rooms: tuple[Room, Room]) -> None:
    assert len(assert_same(rooms, VECTORS)) > USERS / 2
    assert len(assert_same(rooms, CENTERED)) > USERS / 2
    assert_same(rooms, STATISTICS)
    placed = (
        "select count(distinct nodename || nodeport), count(*) from citus_shards where table_name = 'users'::regclass"
    )
    ((machines, shards),) = rooms[0].ask(placed)
    assert machines > 1
    assert shards >= machines


@pytest.mark.slow
def test_questions_have_the_same_answers(rooms: tuple[Room, Room]) -> None:
    for query in QUESTIONS:
        assert assert_same(rooms, query) or "k => 0" in query, query


@pytest.mark.slow
def test_models_answer_the_same(rooms: tuple[Room, Room]) -> None:
    for query in OF_MODELS:
        answers = []
        for room in rooms:
            try:
                answers.append(room.ask(query))
            except psycopg.Error as error:
                answers.append(error.diag.message_primary)
        assert same(answers[0], answers[1]), (query, answers)


@pytest.mark.slow
def test_segments_are_the_same(rooms: tuple[Room, Room]) -> None:
    for room in rooms:
        room.execute("call build_segmentation('all', k => 4, sample_size => null, initial_centroids => null)")
        room.execute("call build_segmentation('all', max_churn => 1)")
        room.execute("call build_segmentation('some', filter => '{\"home\": \"city\"}', centered => false)")
        room.execute("call build_segmentation('tree', method => 'agglomerative', k => 3)")
    for query in OF_SEGMENTS:
        assert assert_same(rooms, query), query
    for room in rooms:
        room.execute("delete from segmentations where segmentation = 'tree'")
    assert len(assert_same(rooms, "select run_id, count(*) from segment_assignments group by run_id order by 1")) == 3


# What answers by the model, the same without it.
OF_MODELS = [
    "select value, entries, users, frequency, embedding::real[] from attribute_vectors('third')",
    "select * from entry_label_silhouette('third')",
    "select * from compare_k(k_max => 3, sample_size => 60, repeats => 2)",
    "select query_source('e2'), query_source('no entry')",
    "select embed('e2')::real[], scale('[1,2]', 0.5)::real[]",
    "select entry_text('a', '{\"b\": \"c\"}', '{entry} {b}')",
    "select request_embedding('no entry')",
    *(f"select {call}" for call in ("tokenize('dancing')", "encoder_tokenize('dancing')", "encode_text('dancing')")),
    *(f"select {call}" for call in ("encode_texts(array['dancing'])", "encoder_digest()", "check_encoder()")),
]

# What the tests call, or stands in what they call.
CALLED = {
    "build_segmentation", "describe_run", "embed_entries", "embed_query", "forget_user", "publish_run", "refresh",
    "rename_segment",
}  # fmt: skip

PUBLIC = """
select
    p.proname::text,
    case p.prokind when 'p' then 'procedure' else 'function' end,
    coalesce(
        (
            select string_agg('null::' || format_type(t.type, null), ', ' order by t.place)
            from unnest(p.proargtypes::oid[]) with ordinality t (type, place)
        ),
        ''
    )
from pg_proc p
where p.pronamespace = quote_ident(current_schema())::regnamespace and p.proname in (select a.name from api a)
order by p.oid
"""

COLUMNS = """
select
    c.relname::text,
    string_agg(
        format(case when a.atttypid = 'vector'::regtype then '%I::real[]' else '%I' end, a.attname), ', '
        order by a.attnum
    )
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = '{}'::regnamespace and c.relkind in ('r', 'v', 'm') and a.atttypid <> 'timestamptz'::regtype
group by c.relname
order by c.relname
"""

# Of the loader and of migrations, and what a distributed space has no use for or has for itself.
NOT_COMPARED = {
    "installed_objects", "loads", "space", "segmentation_runs",
    "entry_postings", "entry_postings_live",
    "reference_policies", "reference_vectors", "staged_activity", "staged_pairs",
}  # fmt: skip
REFUSED_RELATIONS = {"": {"attribute_profiles", "given_profiles", "session_vectors", "user_map"}, "_bi": {"user_map"}}


def in_order(found: list[tuple]) -> list[tuple]:
    """Rows by what they have beside numbers with fractions, then by these."""

    def place(row: tuple) -> tuple[str, str]:
        whole = [value for value in row if not isinstance(value, float | list)]
        return str(whole), str([round(value, 3) for value in row if isinstance(value, float)])

    return sorted(found, key=place)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["", "_bi"])
def test_every_relation_has_the_same_rows(rooms: tuple[Room, Room], suffix: str) -> None:
    far, near = rooms
    refused = set()
    for name, columns in far.ask(COLUMNS.format(far.schema + suffix)):
        if name in NOT_COMPARED:
            continue
        asked = "select {} from {}{}.{}"
        try:
            mine = in_order(far.ask(asked.format(columns, far.schema, suffix, name)))
        except psycopg.errors.FeatureNotSupported as error:
            assert "is not available in a distributed space" in str(error), name
            refused.add(name)
            continue
        theirs = in_order(near.ask(asked.format(columns, near.schema, suffix, name)))
        assert len(mine) == len(theirs), name
        for m, t in zip(mine, theirs, strict=True):
            assert same(m, t), (name, m, t)
    assert refused == REFUSED_RELATIONS[suffix]


@pytest.mark.slow
def test_every_function_is_compared_or_refused(rooms: tuple[Room, Room]) -> None:
    """What is made to be called answers as elsewhere, or says that it does not; so also what comes later."""
    far = rooms[0]
    asked = "\n".join([*QUESTIONS, *OF_SEGMENTS, *OF_MODELS])
    compared = {name for (name,) in far.ask("select name from api") if f"{name}(" in asked}
    refused = set()
    for name, kind, arguments in far.ask(PUBLIC):
        if name in compared | CALLED:
            continue
        call = f"{name}({arguments})"
        with pytest.raises(psycopg.errors.FeatureNotSupported, match=f"^{name} is not available in a distributed"):
            far.execute(f"call {call}" if kind == "procedure" else f"select * from {call}")
        refused.add(name)
    assert not CALLED & compared
    assert len(refused) > 20


@pytest.mark.slow
def test_machines_do_the_work(rooms: tuple[Room, Room]) -> None:
    """What is of single users stays where it is: of a search k rows come back, of k-means k sums, of a refresh none."""
    far = rooms[0]
    refreshed = far.plan("insert into user_vectors select * from user_vectors_live")
    for plan in (refreshed, far.plan("insert into centered_user_vectors select * from centered_user_vectors_live")):
        assert plan.startswith("Custom Scan (Citus Adaptive)")
        assert "Distributed Subplan" not in plan
        assert "Insert on" in plan
    found = far.plan("select user_id from user_vectors order by embedding <=> '[1,0,0,0,0,0,0,0]', user_id limit 5")
    assert found.count("Limit") == 2
    ((points,),) = far.ask("select nearest_centroids(segmentation_points(centered => false), 2)")
    points = points.replace("$1", "(array['[1,0,0,0,0,0,0,0]', '[0,1,0,0,0,0,0,0]']::vector[])").replace(
        "$2", "('{.5,.5}'::float8[])"
    )
    points = points.replace("$3", "'{}'::jsonb").replace("$4", "'{}'::bigint[]")
    summed = far.plan(f"select part, cluster, sum(embedding), count(*) from ({points}) c group by part, cluster")
    assert summed.count("Distributed Subplan") == 1  # the filter
    assert summed.index("Aggregate") < summed.index("->  Task") < summed.rindex("Aggregate")


@pytest.mark.slow
def test_a_load_changes_what_it_should(rooms: tuple[Room, Room]) -> None:
    for room in rooms:
        room.load("user,entry,count\nu1,e1,3\nu1,e2,4\nnew,e3,1\nnew,nobody has it,2\n")
        room.load("user,entry,count\nu1,e1,3\nu2,e5,4\nnewer,e3,1\n", mode="add")
        assert room.ask("select stale from status") == [(True,)]
        room.execute(f"update entry_vectors set embedding = '[0,0,0,0,0,0,0,1]' where entry_key = {KEY.format('e4')}")
        room.execute(f"delete from entry_vectors where entry_key = {KEY.format('e5')}")
        room.execute("update space set weighting = 'sqrt', half_life = '90 days'")
        room.refresh()
    assert_same(rooms, "select weighting, half_life from space")
    assert_same(rooms, "select user_id, entries, frequency, coverage from user_vectors order by user_id")
    for room in rooms:
        room.execute("update space set weighting = 'log', half_life = null")
        room.refresh()
    assert_same(rooms, VECTORS)
    assert_same(rooms, STATISTICS)
    assert rooms[0].ask("select stale from status") == [(False,)]


@pytest.mark.slow
def test_a_user_who_is_deleted_is_gone_after_a_refresh(rooms: tuple[Room, Room]) -> None:
    far = rooms[0]
    ((key,),) = far.ask("select user_key from users where user_id = 'u11'")
    for room in rooms:
        room.execute("delete from users where user_id = 'u11'")
        room.execute("delete from entries where entry = 'e7'")
        room.refresh()
    for relation in ("activity", "user_vectors", "centered_user_vectors", "segment_assignments"):
        assert far.ask(f"select count(*) from {relation} where user_key = {key}") == [(0,)]
    assert_same(rooms, VECTORS)
    assert_same(rooms, STATISTICS)


@pytest.mark.slow
def test_who_is_forgotten_is_gone_at_once(rooms: tuple[Room, Room], people: dict[str, str]) -> None:
    far, receipts = rooms[0], []
    for room in rooms:
        room.load("user,entry,count\nu13,only u13 has it,2\nu13,e1,5\nu14,e1,1\n", mode="add")
        room.refresh()
        url = people["writer"] if room is far else room.url
        with connect(url, room.schema, autocommit=True) as connection:
            (receipt,) = connection.execute("call forget_user(' u13 ')").fetchone() or ({},)
        receipts.append({name.rpartition(".")[2]: rows for name, rows in receipt["rows"].items()})
    assert {name: receipts[1][name] for name in receipts[0]} == receipts[0]
    assert set(receipts[1]) - set(receipts[0]) == {"entry_postings"}
    assert receipts[0].keys() > {
        "users",
        "activity",
        "entries",
        "user_vectors",
        "segment_assignments",
        "segment_changes",
    }
    assert far.ask("select stale from status") == [(False,)]
    for query in (VECTORS, CENTERED, STATISTICS, ACTIVITY, *OF_SEGMENTS[:2]):
        assert "'u13'" not in str(assert_same(rooms, query)), query
    for room in rooms:
        room.load("user,entry,count\nu13,e1,2\nu14,e2,2\n", mode="add")
        room.refresh()
        assert room.ask("select count(*) from users where user_id = 'u13'") == [(0,)]
        assert room.ask("select rows_left_out from forgotten_users") == [(1,)]
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="whom to forget"):
            room.execute("call forget_user(' ')")
        room.execute("call forget_user('nobody')")
    assert_same(rooms, VECTORS)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("select * from find_outliers()", "find_outliers"),
        ("call build_segmentation('x', k => 2, outlier_fraction => 0.1)", "find_outliers"),
        ("call save_audience('x', search => 'e1', size => 3)", "save_audience"),
        ("select * from lookalikes(array['u1'], by => 'nearest')", "group_votes"),
        ("call run()", "run"),
        ("select * from user_map", "user_map"),
        ("insert into activity_input (user_id, entry) values ('a', 'b')", "take_activity_input"),
    ],
)
def test_what_does_not_work_says_so(rooms: tuple[Room, Room], statement: str, what: str) -> None:
    with pytest.raises(psycopg.errors.FeatureNotSupported) as caught:
        rooms[0].execute(statement)
    assert caught.value.diag.message_primary == f"{what} is not available in a distributed space"
    assert "scale.md" in (caught.value.diag.message_hint or "")


@pytest.mark.slow
def test_commands_that_do_not_work_say_so(rooms: tuple[Room, Room]) -> None:
    far = rooms[0]
    options = ["--database", far.url, "--schema", far.schema]
    done = CliRunner().invoke(cli, [*options, "map"])
    assert isinstance(done.exception, PgaudienceError)
    assert done.exception.message == "map is not available in a distributed space"
    with pytest.raises(PgaudienceError, match="keeps no sessions"):
        far.load("user,entry,order\nu1,e1,o1\n", columns=Columns(session="order"))
    with pytest.raises(PgaudienceError, match="shares its people with none"):
        migrate(
            far.url,
            f"{far.schema}_x",
            model="behaviour",
            weighting=None,
            of=far.schema,
            measure=lambda _: ("behaviour", 8),
        )


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    ["similar u1 -k 3", "lookalikes u1 u2 -k 3", "explain u1 e2", "search e2 -k 3", "segment shown --k 3", "refresh"],
)
def test_commands_print_the_same(rooms: tuple[Room, Room], command: str) -> None:
    shown = []
    for copy in ("average_user", "centered_user_vectors"):  # elsewhere the average user stays while hardly moved
        rooms[1].execute(f"refresh materialized view {copy}")
    for room in rooms:
        options = ["--database", room.url, "--schema", room.schema]
        done = CliRunner().invoke(cli, [*options, *command.split()], catch_exceptions=False)
        assert done.exit_code == 0
        shown.append(done.stdout)
    assert shown[0] == shown[1]


@pytest.mark.slow
def test_readers_read_and_bi_readers_have_no_users(rooms: tuple[Room, Room], people: dict[str, str]) -> None:
    schema = rooms[0].schema
    with connect(people["reader"], schema, autocommit=True) as connection:
        assert connection.execute(f"select * from search_users({QUERY}, k => 3)".encode()).rowcount == 3
        assert connection.execute(f"select users from {schema}_bi.status".encode()).rowcount == 1
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("delete from activity")
    with connect(people["bi_reader"], schema, autocommit=True) as connection:
        assert connection.execute(f"select * from {schema}_bi.segments".encode()).rowcount > 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(f"select * from {schema}_bi.users".encode())


@pytest.mark.slow
def test_writers_load_and_refresh(rooms: tuple[Room, Room], people: dict[str, str], tmp_path: Path) -> None:
    far = rooms[0]
    Room(people["writer"], far.schema, tmp_path).load("user,entry,count\nu5,e3,4\nwanda,e2,2\n", mode="add")
    assert far.ask("select stale from status") == [(True,)]
    with connect(people["writer"], far.schema) as connection:
        refresh(connection)
    assert far.ask("select count(*) from user_vectors where user_id = 'wanda'") == [(1,)]
    rooms[1].load("user,entry,count\nu5,e3,4\nwanda,e2,2\n", mode="add")
    rooms[1].refresh()
    assert_same(rooms, VECTORS)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["add", "replace"])
def test_loads_read_side_by_side(
    rooms: tuple[Room, Room], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: Mode
) -> None:
    """The second one has found the same people and entries new, and sent its rows, before the first one ends."""
    far, near = rooms
    both, first_is_in, current, settle = Barrier(2), Event(), local(), ProposedKeys.settle

    def settle_in_turn(keys: ProposedKeys) -> None:
        if not both.broken and not hasattr(current, "waited"):
            current.waited = both.wait(60)
            assert keys.by_number.size and not keys.inserted
            assert current.number == 0 or first_is_in.wait(60)
        settle(keys)

    def text(number: int) -> str:
        pairs = [f"{mode}{n},{mode} {(n * (1 + number)) % 9},{1 + number},2024-0{1 + number}-01" for n in range(40)]
        more = [
            f"{mode} {number},e{number},3,2024-03-01",
            f"u{number},{mode} 8,1,2024-03-01",
            f"u5,e{number},1,2024-03-01",
        ]
        return "\n".join(["user,entry,count,occurred_at", *pairs[::-1], *more, *pairs]) + "\n"

    def run(room: Room, number: int) -> None:
        current.number = number
        folder = tmp_path / f"{room.schema} {number}"
        folder.mkdir()
        users = f"user,load\n{mode}{number},{number}\nonly {mode} {number},{number}\n"
        Room(room.url, room.schema, folder).load(text(number), users=users, mode=mode)
        if number == 0:
            first_is_in.set()

    with monkeypatch.context() as patched, ThreadPoolExecutor(2) as pool:
        patched.setattr("pgaudience.loading.staging.ROWS_IN_A_BLOCK", 10)
        patched.setattr(ProposedKeys, "settle", settle_in_turn)
        list(pool.map(lambda number: run(far, number), range(2)))
    for number in range(2):
        run(near, number)
    assert far.ask("select count(*) from staged_activity") == [(0,)]
    assert far.ask("select count(*) = count(distinct user_id) from users") == [(True,)]
    assert_same(rooms, ACTIVITY)
    assert_same(rooms, "select user_id, attributes from users order by 1")
    assert_same(rooms, "select entry from entries order by 1")
    for room in rooms:
        room.refresh()
    assert_same(rooms, VECTORS)


@pytest.mark.slow
def test_a_load_that_fails_leaves_nothing(rooms: tuple[Room, Room], monkeypatch: pytest.MonkeyPatch) -> None:
    far = rooms[0]
    held = "select (select count(*) from {}), (select count(*) from {}), (select sum(frequency) from activity)"
    counted = [held.format("users", "entries"), held.format("activity", "staged_activity")]
    before = [far.ask(query) for query in counted]

    def fail(*arguments: object, **options: object) -> tuple[int, int, int]:
        sharded.merge_shards(*arguments, **options)  # pyright: ignore[reportArgumentType]
        raise InterruptedError

    monkeypatch.setattr("pgaudience.loading.merge.merge_shards", fail)
    with pytest.raises(InterruptedError):
        far.load("user,entry,count\nu1,e1,3\nu2,lost,4\nlost,e3,1\n", mode="add")
    assert [far.ask(query) for query in counted] == before


@pytest.mark.slow
def test_machines_merge_what_is_loaded(rooms: tuple[Room, Room]) -> None:
    statements = [value for name, value in vars(sharded).items() if name.startswith("_") and name[1].isupper()]
    assert len(statements) == 5
    for statement in statements:
        plan = rooms[0].plan(statement)
        assert plan.startswith("Custom Scan (Citus Adaptive)"), plan
        assert "Distributed Subplan" not in plan, plan


@pytest.mark.slow
def test_two_loads_at_once_and_a_killed_refresh(rooms: tuple[Room, Room], tmp_path: Path) -> None:
    far, near = rooms
    loads = ["user,entry,count\n" + "".join(f"twin{n},e{(n + at) % 50},2\n" for n in range(40)) for at in (0, 7)]
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        folder.mkdir()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda n: Room(far.url, far.schema, folders[n]).load(loads[n], mode="add"), range(2)))
    for text in loads:
        near.load(text, mode="add")
    with far.connect() as connection:
        connection.execute("call refresh()")
        far.execute(f"select pg_terminate_backend({connection.info.backend_pid})")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("commit")
    assert far.ask("select stale from status") == [(True,)]
    for room in rooms:
        room.refresh()
    assert far.ask("select count(*), count(distinct user_id) from users where user_id like 'twin%'") == [(40, 40)]
    assert_same(rooms, VECTORS)
    assert_same(rooms, STATISTICS)


@pytest.mark.slow
def test_an_upgrade_keeps_what_is_there(rooms: tuple[Room, Room]) -> None:
    far = rooms[0]
    before = far.ask(VECTORS)
    assert not make(far.url, far.schema, distributed=True).changed
    assert not make(far.url, far.schema, distributed=False).changed
    far.execute("update space set bundle_digest = null")
    far.execute("update installed_objects set digest = 'former' where file = 'vectors/user_vectors.sql'")
    assert make(far.url, far.schema, distributed=False).changed
    assert same(far.ask(VECTORS), before)
    assert far.ask("select distributed, materialization from space") == [(True, "tables")]
    with far.connect(autocommit=True) as connection:
        wrong = [each for each in run_checks(connection, far.schema) if not each.ok]
    assert {each.name for each in wrong} <= {
        "model",
        "model in SQL",
        "token table",
        "entries waiting for a vector",
        "entries in words",
    }


@pytest.mark.slow
def test_a_space_with_people_is_distributed_with_them(rooms: tuple[Room, Room]) -> None:
    near = rooms[1]
    near.load("user,entry,order\nu1,e1,o1\nu1,e2,o1\nu2,e2,o2\n", columns=Columns(session="order"))
    near.refresh()
    near.execute("call save_audience('few', like_users => array['u1', 'u2'], size => 3)")
    ((member,),) = near.ask("select min(user_id) from audience_members")
    before = near.ask(VECTORS), near.ask("select * from search_users('e2')")
    assert make(near.url, near.schema, distributed=True).changed
    assert same((near.ask(VECTORS), near.ask("select * from search_users('e2')")), before)
    near.load("user,entry\nu2,e1\n")
    assert near.ask("select distinct user_id from sessions join users using (user_key)") == [("u1",)]
    for user in ("u1", member):
        near.execute(f"call forget_user('{user}')")
        assert near.ask(f"select * from user_traces('{user}', null)") == []
    assert near.ask("select count(*) from sessions") == [(0,)]
    assert near.ask("select definition -> 'like_users' from audiences") == [(["u2"],)]
