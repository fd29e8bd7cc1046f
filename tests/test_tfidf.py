"""Spaces of tfidf: words and pairs of words, whose token table is exact, checked against scikit-learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import psycopg
import pytest
from click.testing import CliRunner
from sklearn.feature_extraction.text import TfidfVectorizer

from conftest import Cluster, connect, migrate_toy
from pgaudience.cli import cli
from pgaudience.database import Space, open_space
from pgaudience.embedding.provider import Provider
from pgaudience.embedding.registry import measure
from pgaudience.errors import PgaudienceError
from pgaudience.installing import migrate
from pgaudience.learning import Trained, train, training_due
from pgaudience.pipeline import bring_vectors, embed_query, embed_space
from pgaudience.worker.desk import Desk

pytestmark = pytest.mark.newest

WORDS = ("red", "blue", "tea", "cup", "mug", "ski", "alps", "hotel", "night", "club")
TEXTS = [
    " ".join(np.random.default_rng(n).choice(WORDS, 2 + n % 4)) + (f" set {n}" if n % 7 == 0 else "") for n in range(60)
]
QUERIES = ("red tea cup", "hotel ski red", "night club night", "blue mug tea cup ski")
DIMENSIONS = 8


def derive(url: str, schema: str = "words", of: str | None = "audience", dimensions: int = DIMENSIONS) -> None:
    migrate(
        url, schema, model="tfidf", weighting=None, of=of, measure=lambda model: measure(model, dimensions=dimensions)
    )


def fill(url: str) -> None:
    migrate_toy(url)
    derive(url)
    with connect(url) as connection:
        texts = list(dict.fromkeys(TEXTS))
        connection.execute("insert into entries (entry) select unnest(%s::text[])", [texts])
        connection.execute("insert into users (user_id) select format('user_%s', n) from generate_series(1, 10) n")
        connection.execute("insert into activity select 1 + entry_key %% 10, entry_key, 1 from entries", [])
    trained(url)


@pytest.fixture
def words(cluster: Cluster) -> str:
    """The space `words` over people with short texts, trained."""
    return cluster.clone("words", fill)


def trained(url: str, schema: str = "words") -> Trained:
    with connect(url, schema) as connection:
        return train(connection, open_space(connection, schema))


def rows(url: str, query: str, schema: str = "words") -> list[tuple]:
    with connect(url, schema, autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def entries(url: str) -> dict[str, np.ndarray]:
    found = rows(url, "select e.entry, v.embedding::real[] from entry_vectors v join entries e using (entry_key)")
    return {entry: np.array(vector) for entry, vector in found}


def queried(url: str, text: str) -> np.ndarray:
    return np.array(rows(url, f"select embed('{text}')::real[]")[0][0])


def projection(texts: list[str]) -> tuple[TfidfVectorizer, np.ndarray]:
    """By the book: TF-IDF of words and pairs, and the right singular vectors."""
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\w+")
    matrix = vectorizer.fit_transform(texts)
    return vectorizer, np.linalg.svd(matrix.toarray(), full_matrices=False)[2][:DIMENSIONS].T


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_texts_and_queries_are_those_of_scikit_learn(words: str) -> None:
    held = entries(words)
    texts = list(held)
    vectorizer, axes = projection(sorted(texts))
    expected = unit(vectorizer.transform([*texts, *QUERIES]).toarray() @ axes)
    found = np.vstack([*held.values(), *(queried(words, text) for text in QUERIES)])
    assert texts and not set(QUERIES) & set(texts)
    signs = np.sign((expected * found).sum(axis=0))
    np.testing.assert_allclose((expected * signs * found).sum(axis=1), 1, atol=1e-5)


def test_a_query_of_no_known_word(words: str) -> None:
    assert rows(words, "select query_source('red tea'), query_source('xylophone')") == [("encoder", "none")]
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="no word of the text"):
        rows(words, "select embed('xylophone')")
    with connect(words, "words") as connection:
        embed_query(connection, open_space(connection, "words"), "red tea", None)
    assert rows(words, "select count(*) from queries") == [(0,)]


def test_a_refit_keeps_the_axes(words: str) -> None:
    before, query = entries(words), queried(words, QUERIES[1])
    assert trained(words).kept == pytest.approx(1, abs=1e-4)
    rows(words, "insert into entries (entry) select format('red tea %s', n) from generate_series(1, 8) n", "audience")
    assert 0.9 < (trained(words).kept or 0) < 1
    after = entries(words)
    assert np.mean([after[text] @ vector for text, vector in before.items()]) > 0.9
    assert queried(words, QUERIES[1]) @ query > 0.9


def test_new_entries_get_vectors_without_a_fit(words: str) -> None:
    rows(words, "insert into entries (entry) values ('Red  TEA cup'), ('xylophone')", "audience")
    rows(words, "update entries set entry = 'ski club night' where entry_key = 2", "audience")
    before = rows(words, "select ctid from tokens")
    with connect(words, "words") as connection:
        space = open_space(connection, "words")
        assert not training_due(connection)
        bring_vectors(connection, space, None)
    assert rows(words, "select ctid from tokens") == before
    held = entries(words)
    np.testing.assert_allclose(held["Red  TEA cup"], queried(words, "red tea cup"), atol=1e-6)
    np.testing.assert_allclose(held["ski club night"], queried(words, "Ski, club: night!"), atol=1e-6)
    assert rows(words, "select e.entry from entry_failures join entries e using (entry_key)") == [("xylophone",)]
    rows(words, "insert into entries (entry) select format('ski %s', n) from generate_series(1, 30) n", "audience")
    with connect(words, "words") as connection:
        assert training_due(connection)
        bring_vectors(connection, space, None)
        assert not training_due(connection)
    assert len(entries(words)) == rows(words, "select count(*) - 1 from entries")[0][0]


def test_fewer_texts_than_dimensions(space: str) -> None:
    derive(space, dimensions=16)
    with pytest.raises(PgaudienceError, match="no entry has a word"):
        trained(space)
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="no token table") as caught:
        rows(space, "select embed('ski')")
    assert "pgaudience --schema words train" in (caught.value.diag.message_hint or "")
    rows(space, "insert into entries (entry) values ('ski alps'), ('ski hotel'), ('…')", "audience")
    done = trained(space)
    assert (done.entries, done.without) == (2, 1)
    found = rows(space, "select entry, round(similarity::numeric, 2)::float from search_entries('alps')")
    assert found[0] == ("ski alps", pytest.approx(1, abs=0.3))
    assert len(found) == 2


@pytest.mark.slow
def test_a_space_of_its_own(database: str, tmp_path: Path) -> None:
    (tmp_path / "searches.csv").write_text(
        "user,query,times\nann,ski alps hotel,3\nann,ski club,1\nbob,red tea cup,2\nbob,tea mug,1\ncy,ski hotel,1\n"
    )

    def command(*words: str) -> str:
        done = CliRunner().invoke(cli, ["--database", database, "--schema", "terms", *words])
        assert done.exit_code == 0, done.output
        return done.output

    command("migrate", "--model", "tfidf", "--dimensions", "4")
    assert "words and pairs of words" in command("load", str(tmp_path / "searches.csv"))
    found = rows(database, "select user_id from search_users('hotel in the alps', k => 2)", "terms")
    assert set(found) == {("ann",), ("cy",)}
    assert "no token table" not in command("check")


def test_whoever_embeds_serves_it(words: str) -> None:
    """The command, a worker's desk, and SQL alone; a text without a known word waits for nobody."""
    for number, serve in enumerate((embed, work, embed_in_sql, run_in_sql)):
        rows(
            words,
            f"insert into activity_input values ('zoe', 'red tea {number}'), ('zoe', 'unheard{number}')",
            "audience",
        )
        serve(words)
        found = rows(words, "select e.entry from entry_vectors v join entries e using (entry_key)"
                            f" where entry ~ '(red tea |unheard){number}$'")  # fmt: skip
        assert found == [(f"red tea {number}",)], serve
    assert rows(words, "select entries_pending, entries_failed from status") == [(0, 4)]


def embed(url: str) -> None:
    done = CliRunner().invoke(cli, ["--database", url, "--schema", "words", "embed"])
    assert "Embedded 1 texts with tfidf" in done.output


def work(url: str) -> None:
    with connect(url, "words", autocommit=True) as connection:
        desk = Desk(connection, open_space(connection, "words"), space_provider_of, rest=3600)
        desk.answer_queries()
        assert [desk.embed_batch(), desk.embed_batch()] == [True, False]


def space_provider_of(space: Space) -> Provider:
    raise AssertionError(space)


def embed_in_sql(url: str) -> None:
    rows(url, "call embed_entries()")


def run_in_sql(url: str) -> None:
    rows(url, "call run()")


def test_words_of_which_nothing_was_learned(bare: str) -> None:
    derive(bare, of=None)
    rows(bare, "insert into activity_input values ('zoe', 'red tea')")
    with connect(bare, "words") as connection:
        space = open_space(connection, "words")
        with pytest.raises(PgaudienceError, match="knows no words yet"):
            embed_space(connection, space, None)
