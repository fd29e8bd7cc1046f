"""Spaces of behaviour: vectors from who has what, checked against numpy, and all that stands on them."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import numpy as np
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from scipy import sparse

from conftest import TOY_MODEL, Cluster, connect, migrate_toy
from pgaudience.checking import run_checks
from pgaudience.database import Space, blocks, open_space
from pgaudience.embedding.registry import measure
from pgaudience.errors import PgaudienceError
from pgaudience.installing import migrate
from pgaudience.learning import Trained, train, training_due
from pgaudience.learning import baskets as reading
from pgaudience.learning.baskets import read_baskets
from pgaudience.learning.factors import factorize, rotate_onto
from pgaudience.learning.ppmi import positive_pmi
from pgaudience.pipeline import catch_up, embed_query
from pgaudience.refresh import refresh

pytestmark = pytest.mark.newest

# Forty users, twenty entries: those of even number go together, and so do the others, whatever their texts.
FILL = """
insert into entries (entry)
select format('%s %s', case when n < 10 then 'ski' else 'horror' end, n) from generate_series(0, 19) n order by n;
insert into entry_vectors (entry_key, embedding)
select entry_key, l2_normalize(
    case when entry like 'ski%' then '[1, 0, 0]'::vector else '[0, 1, 0]' end
    + array[0, 0, entry_key * 0.01]::vector
)
from entries;
insert into users (user_id) select format('user_%s', n) from generate_series(0, 39) n order by n;
insert into activity (user_key, entry_key, frequency)
select u.user_key, e.entry_key, 1 + (u.user_key * e.entry_key) % 5
from users u
join entries e on (hashint8extended(100 * u.user_key + e.entry_key, 0) & 1023)
    < case when (u.user_key + e.entry_key) % 2 = 0 then 700 else 80 end;
insert into queries (query, embedding, embedded_at) values ('ski', '[1, 0, 0]', now()), ('horror', '[0, 1, 0]', now());
call refresh();
"""


def derive(url: str, dimensions: int = 4, schema: str = "taste") -> None:
    migrate(
        url, schema, model="behaviour", weighting=None, of="audience",
        measure=lambda model: measure(model, dimensions=dimensions),
    )  # fmt: skip


def trained(url: str, schema: str = "taste") -> Trained:
    with connect(url) as connection:
        done = train(connection, open_space(connection, schema))
        refresh(connection)
    return done


def rows(url: str, query: str, schema: str = "taste") -> list[tuple]:
    with connect(url, schema, autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def vectors(url: str, schema: str = "taste") -> dict[int, np.ndarray]:
    found = rows(url, "select entry_key, embedding::real[] from entry_vectors", schema)
    return {key: np.array(vector) for key, vector in found}


def fill_empty(url: str) -> None:
    migrate_toy(url)
    derive(url)


def fill_taste(url: str) -> None:
    fill_empty(url)
    rows(url, FILL, "audience")
    trained(url)


@pytest.fixture
def empty(cluster: Cluster) -> str:
    """The space `audience` with nothing in it, and `taste` over its people."""
    return cluster.clone("taste_empty", fill_empty)


@pytest.fixture
def taste(cluster: Cluster) -> str:
    """Both spaces of the forty users, trained."""
    return cluster.clone("taste", fill_taste)


# The vectors


def dense_ppmi(has: np.ndarray, smoothing: float, shift: float) -> np.ndarray:
    """By the book: counts of pairs over users, their shares, and those that chance would give."""
    counts = has.T @ has
    np.fill_diagonal(counts, 0)
    joint = counts / counts.sum()
    rows_ = joint.sum(axis=1)
    context = counts.sum(axis=0) ** smoothing
    context = context / context.sum()
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(joint / np.outer(rows_, context)) - shift, 0)


@pytest.mark.parametrize(("smoothing", "shift"), [(0.75, 0.0), (1.0, 0.0), (0.0, 0.0), (0.75, 0.7)])
@pytest.mark.parametrize("at_once", [20_000_000, 7])
def test_pmi(monkeypatch: pytest.MonkeyPatch, smoothing: float, shift: float, at_once: int) -> None:
    monkeypatch.setattr("pgaudience.learning.ppmi._CELLS_AT_ONCE", at_once)
    has = (np.random.default_rng(3).random((60, 12)) < 0.3).astype(np.float32)
    found = positive_pmi(sparse.csr_matrix(has), smoothing, shift)
    np.testing.assert_allclose(found.toarray(), dense_ppmi(has.astype(float), smoothing, shift), atol=1e-6)


def test_pmi_keeps_the_largest_cells_where_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pgaudience.learning.ppmi.MOST_CELLS", 36)
    has = (np.random.default_rng(3).random((60, 12)) < 0.3).astype(np.float32)
    found = positive_pmi(sparse.csr_matrix(has), 0.75, 0).toarray()
    whole = dense_ppmi(has.astype(float), 0.75, 0)
    for few, all_ in zip(found, whole, strict=True):
        np.testing.assert_allclose(np.sort(few)[::-1][:3], np.sort(all_)[::-1][:3], atol=1e-6)
        assert (few > 0).sum() <= 3


def test_factors_come_close_to_the_cells() -> None:
    """With all dimensions, cosines are those of the rows of U √S; fewer, wider or repeated, the first stay the same."""
    random = np.random.default_rng(4)
    cells = np.maximum(random.random((9, 9)) - 0.5, 0)
    cells[4] = 0
    left, values, _ = np.linalg.svd(cells)
    expected = left * np.sqrt(values)
    found = factorize(sparse.csr_matrix(cells), 9)
    assert not found[4].any()
    lengths = np.linalg.norm(expected, axis=1)
    rest = np.arange(9) != 4
    cosines = (expected @ expected.T / np.outer(lengths, lengths))[rest][:, rest]
    np.testing.assert_allclose((found @ found.T)[rest][:, rest], cosines, atol=1e-8)
    assert (factorize(sparse.csr_matrix(cells), 9) == found).all()
    assert factorize(sparse.csr_matrix(cells), 12)[:, 9:].tolist() == np.zeros((9, 3)).tolist()
    few = factorize(sparse.csr_matrix(cells), 3)
    assert (few == factorize(sparse.csr_matrix(cells), 3)).all()
    np.testing.assert_allclose(np.abs(few.max(axis=0)), np.abs(few).max(axis=0))


def test_a_rotation_is_undone() -> None:
    random = np.random.default_rng(5)
    points = random.normal(size=(30, 4))
    turn, _ = np.linalg.qr(random.normal(size=(4, 4)))
    np.testing.assert_allclose(rotate_onto(points @ turn, points, np.arange(30)), points, atol=1e-10)


@pytest.mark.slow
def test_what_is_stored_is_what_numpy_makes_of_the_activity(taste: str) -> None:
    pairs = rows(taste, "select user_key, entry_key from activity")
    has = np.zeros((40, 20))
    for user, entry in pairs:
        has[user - 1, entry - 1] = 1
    expected = factorize(sparse.csr_matrix(dense_ppmi(has, 0.75, 0)), 4)
    found = vectors(taste)
    assert sorted(found) == list(range(1, 21))
    stored = np.array([found[key] for key in range(1, 21)])
    np.testing.assert_allclose(np.abs(stored @ stored.T), np.abs(expected @ expected.T), atol=1e-4)


@pytest.mark.slow
def test_it_finds_what_goes_together_and_texts_do_not_say(taste: str) -> None:
    near = rows(
        taste, "select entry from search_entries((select embedding from entry_vectors where entry_key = 2), k => 9)"
    )
    assert {int(entry.split()[1]) % 2 for (entry,) in near} == {1}
    alike = rows(taste, "select user_id from similar_users('user_4', k => 15)")
    assert {int(user.split("_")[1]) % 2 for (user,) in alike} == {0}


def test_blocks_of_activity(taste: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with connect(taste, "taste") as connection:
        whole = read_baskets(connection)
        for size in (30, 100, 333):
            monkeypatch.setattr(blocks, "BLOCK_BYTES", size)
            found = read_baskets(connection)
            assert (found.matrix != whole.matrix).nnz == 0
            assert (found.pairs, found.count, found.median) == (whole.pairs, whole.count, whole.median)
    assert whole.matrix.nnz == whole.pairs == rows(taste, "select count(*) from activity")[0][0]


def test_huge_baskets_count_with_a_sample(taste: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rows(taste, "insert into activity select 1, e.entry_key, 1 from entries e on conflict do nothing", "audience")
    monkeypatch.setattr(reading, "LEAST_SIZE", 5)
    monkeypatch.setattr(reading, "MOST_PRODUCTS", 40 * 36)
    with connect(taste, "taste") as connection:
        sizes = np.diff(read_baskets(connection).matrix.indptr)
    assert sizes.max() == 6
    assert len(sizes) == 40


# Refits


def test_a_refit_keeps_the_axes(taste: str) -> None:
    before = vectors(taste)
    again = trained(taste)
    assert again.kept == pytest.approx(1, abs=1e-5)
    for key, vector in vectors(taste).items():
        np.testing.assert_allclose(vector, before[key], atol=1e-5)
    rows(taste, "insert into users (user_id) values ('new'); "
         "insert into activity select 41, n, 1 from generate_series(1, 19, 2) n", "audience")  # fmt: skip
    more = trained(taste)
    assert more.baskets == 41
    assert 0.9 < (more.kept or 0) < 1
    assert np.mean([vector @ before[key] for key, vector in vectors(taste).items()]) == pytest.approx(
        more.kept, abs=1e-3
    )


@pytest.mark.slow
def test_it_is_due_when_activity_has_grown_by_a_fifth(empty: str) -> None:
    def due() -> bool:
        with connect(empty, "taste") as connection:
            return training_due(connection)

    assert not due()
    rows(empty, FILL, "audience")
    assert due()
    trained(empty)
    assert not due()
    rows(empty, "insert into activity select u.user_key, e.entry_key, 1 from users u cross join entries e"
                " order by 1, 2 limit 150 on conflict do nothing", "audience")  # fmt: skip
    assert due()
    with connect(empty) as connection:
        catch_up(connection, open_space(connection, "audience"), None)
    assert not due()
    assert rows(empty, "select stale, entries_pending from status") == [(False, 0)]


def test_entries_without_company_have_no_vector(taste: str) -> None:
    rows(taste, "insert into activity_input values ('user_1', 'only hers', 3), ('loner', 'seen once', 1)", "audience")
    done = trained(taste)
    assert (done.entries, done.without) == (20, 2)
    assert rows(taste, "select entries_embedded, entries_failed, entries_pending from status") == [(20, 2, 0)]
    assert rows(taste, "select user_id from users except select user_id from user_vectors") == [("loner",)]
    rows(taste, "insert into activity_input "
         "select format('user_%s', n), 'only hers', 1 from generate_series(3, 30, 2) n", "audience")  # fmt: skip
    assert trained(taste).without == 1
    assert rows(taste, "select entries_embedded, entries_failed from status") == [(21, 1)]


# Texts


def test_texts_are_understood_in_the_base(taste: str) -> None:
    assert rows(taste, "select query_source('ski'), query_source('ski 3'), query_source('new words')") == [
        ("exact", "entry", "none")
    ]
    expected = rows(taste, """
        select l2_normalize(sum(scale(v.embedding, exp((b.embedding <=> '[1,0,0]') / -0.1))))::text
        from audience.entry_vectors b
        join entry_vectors v using (entry_key)""")  # fmt: skip
    (given,) = rows(taste, "select embed('ski')::text")
    np.testing.assert_allclose(eval(given[0]), eval(expected[0][0]), atol=1e-5)
    assert rows(taste, "select embed('ski 3') = embedding from entry_vectors where entry_key = 4") == [(True,)]
    assert len(rows(taste, "select * from search_users('horror', k => 5)")) == 5


def test_explanations_add_up(taste: str) -> None:
    for user in ("user_3", "user_20"):
        query = f"select sum(contribution) from explain_match('{user}', 'ski')"
        cosine = f"select 1 - (embedding <=> embed('ski')) from user_vectors where user_id = '{user}'"
        assert rows(taste, query)[0][0] == pytest.approx(rows(taste, cosine)[0][0], abs=1e-5)


def test_texts_nobody_has_asked_for(taste: str) -> None:
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="no vector yet for the text 'night life'"):
        rows(taste, "select embed('night life')")
    assert rows(taste, "select request_embedding('night life')") == [("waiting",)]
    assert rows(taste, "select query from queries where embedding is null", "audience") == [("night life",)]
    assert rows(taste, "select query from queries") == []
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState) as refused:
        rows(taste, "call embed_query('night life')")
    assert refused.value.diag.message_hint == "Run: call audience.embed_query('night life');"


@pytest.mark.slow
def test_the_shell_asks_the_model_of_the_base(places: str) -> None:
    derive(places, dimensions=8)
    trained(places)
    with connect(places) as connection:
        space = open_space(connection, "taste")
        embed_query(connection, space, "winter sports", None)
        assert connection.execute("select current_schema()").fetchone() == ("taste",)
    assert rows(places, "select query_source('winter sports')") == [("encoder",)]
    assert len(rows(places, "select * from search_users('winter sports', k => 3)")) == 3


# What cannot be


@pytest.mark.slow
def test_nothing_to_learn_from(empty: str) -> None:
    def refused(match: str) -> None:
        before = vectors(empty)
        with pytest.raises(PgaudienceError, match=match):
            trained(empty)
        assert vectors(empty).keys() == before.keys()

    refused("nothing to learn from")
    rows(empty, "insert into activity_input values ('ann', 'a', 1), ('ann', 'b', 1)", "audience")
    refused("nothing to learn from")
    rows(empty, "insert into activity_input "
         "select format('u%s', n), format('e%s', n % 5), 1 from generate_series(1, 50) n", "audience")  # fmt: skip
    refused("nothing to learn from: no two users")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        rows(empty, "select embed('a')")


def test_pairs_that_are_asked_too_much_of(taste: str) -> None:
    rows(taste, "update space set shift = 10")
    with pytest.raises(PgaudienceError, match="oftener than by chance") as refused:
        trained(taste)
    assert "set shift = 0" in (refused.value.hint or "")
    assert len(vectors(taste)) == 20


@pytest.mark.parametrize("policy", ["smoothing = 1.1", "smoothing = 'nan'", "shift = -1", "shift = 'infinity'"])
def test_policies_that_cannot_be(taste: str, policy: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        rows(taste, f"update space set {policy}")


def test_it_needs_a_space_of_texts(space: str) -> None:
    with pytest.raises(PgaudienceError, match="in which queries are understood"):
        migrate(space, "alone", model="behaviour", weighting=None, measure=measure)
    assert rows(space, "select to_regnamespace('alone')", "audience") == [(None,)]


def test_users_with_few_entries_are_warned_of(taste: str, capsys: pytest.CaptureFixture[str]) -> None:
    trained(taste)
    assert "The median user has 7.5 entries" in capsys.readouterr().err


def test_what_the_doctor_says(taste: str) -> None:
    def failing() -> dict[str, str]:
        with connect(taste) as connection:
            return {each.name: each.mend for each in run_checks(connection, "taste") if not each.ok}

    assert failing() == {}
    rows(taste, "update space set trained_at = null")
    assert failing() == {"learned vectors": "Run: pgaudience train"}


def test_two_at_once(taste: str) -> None:
    with connect(taste, "taste") as other:
        other.execute("select pg_advisory_xact_lock(hashtextextended('pgaudience train taste', 0))")
        with pytest.raises(PgaudienceError, match="another process is training"):
            trained(taste)


KILLED = """
import sys
from pgaudience.database import connect, open_space
from pgaudience.learning import train
with connect(sys.argv[1]) as connection:
    train(connection, open_space(connection, "taste"))
"""


def test_a_killed_fit_changes_nothing(taste: str) -> None:
    """It dies where it waits to store, since somebody else holds the table."""
    before = vectors(taste)
    with connect(taste, "taste") as holder:
        holder.execute("lock table entry_vectors in share mode")
        process = subprocess.Popen([sys.executable, "-c", KILLED, taste], stderr=subprocess.DEVNULL)
        waiting = "select count(*) from pg_locks where not granted and relation = 'taste.entry_vectors'::regclass"
        for _ in range(300):
            if rows(taste, waiting) == [(1,)]:
                break
            time.sleep(0.1)
        assert rows(taste, waiting) == [(1,)]
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert {key: vector.tolist() for key, vector in vectors(taste).items()} == {
        k: v.tolist() for k, v in before.items()
    }
    trained(taste)


# Rights


@pytest.fixture
def logins(cluster: Cluster) -> Iterator[tuple[str, str]]:
    names = ("behaviour_reader", "behaviour_writer")
    for name in names:
        cluster.execute("create role {} login password 'behaviour'", name)
    yield names
    for name in names:
        cluster.execute("drop role {}", name)


def test_what_readers_and_writers_may(cluster: Cluster, taste: str, logins: tuple[str, str]) -> None:
    rows(taste, "grant taste_reader to behaviour_reader; grant taste_writer to behaviour_writer")
    reader, writer = (make_conninfo(taste, user=login, password="behaviour") for login in logins)
    assert len(rows(reader, "select * from search_users('ski', k => 3)")) == 3
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        rows(reader, "select request_embedding('night life')")
    assert rows(writer, "select request_embedding('night life')") == [("waiting",)]
    assert trained(writer).entries == 20
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        rows(writer, "delete from audience.users")
    cluster.execute("drop database {} with (force)", str(conninfo_to_dict(taste)["dbname"]))


def test_a_space_says_what_it_is(taste: str) -> None:
    with connect(taste) as connection:
        assert open_space(connection, "taste") == Space("taste", "behaviour", 4, "audience")
        assert open_space(connection, "audience").model == TOY_MODEL[0]


def test_values_of_an_attribute_have_vectors(taste: str) -> None:
    """Those of their entries, weighted by what users have; a list is several values."""
    rows(taste, "update entries set attributes = jsonb_build_object('side', entry_key % 2, 'tag', "
                "case when entry_key < 3 then '[\"a\", \"b\"]' when entry_key < 5 then '\"a\"' else 'null' end::jsonb)",
         "audience")  # fmt: skip
    stored = vectors(taste)
    weights = dict(rows(taste, "select entry_key, sum(weight) from weighted_activity group by entry_key"))
    found = rows(taste, "select value, entries, users, frequency, embedding::real[] from attribute_vectors('tag')")
    assert [row[:2] for row in found] == [("a", 4), ("b", 2)]
    for value, keys in (("a", [1, 2, 3, 4]), ("b", [1, 2])):
        total = sum(weights[key] * stored[key] for key in keys)
        row = next(row for row in found if row[0] == value)
        np.testing.assert_allclose(row[4], total / np.linalg.norm(total), atol=1e-5)
        assert row[2:4] == rows(taste, f"select count(distinct user_key), sum(frequency) from activity"
                                       f" where entry_key = any (array{keys})")[0]  # fmt: skip
    assert [row[0] for row in rows(taste, "select value from attribute_vectors('side')")] == ["0", "1"]
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="no entry has an attribute 'colour'"):
        rows(taste, "select * from attribute_vectors('colour')")
