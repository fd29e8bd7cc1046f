"""The token table, fitted to the packaged model: fewer words and texts than in earnest, the same code."""

from __future__ import annotations

import json
import runpy
import shutil
import threading
import time
from pathlib import Path

import numpy as np
import psycopg
import pytest
from click.testing import CliRunner, Result

from conftest import Cluster, connect, packaged_folder
from pgaudience.cli import cli
from pgaudience.database import open_space
from pgaudience.demo import run_demo
from pgaudience.distilling import (
    distill,
    distillation_cost,
    distillation_due,
    others_turn,
    synthetic,
    training,
    vocabulary,
)
from pgaudience.distilling.refinement import EPOCHS, refine
from pgaudience.distilling.regression import Examples
from pgaudience.distilling.turns import take_turn
from pgaudience.embedding.provider import ProviderError
from pgaudience.embedding.registry import measure
from pgaudience.errors import PgaudienceError
from pgaudience.installing import migrate
from pgaudience.pipeline import distill_space, embed_space, space_provider
from pgaudience.progress import progress
from pgaudience.resources import folder

pytestmark = pytest.mark.slow

QUERIES = ("winter sports in the mountains", "children and family", "scary movies", "coffee in the city")

COSINES = """
select 1 - (embed(q) <=> e) from unnest(%s::text[], %s::vector[]) as given (q, e)
"""


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "GENERAL_WORDS", 4_000)
    monkeypatch.setattr(vocabulary, "OTHER_WORDS", 100)
    monkeypatch.setattr(training, "TEXTS", 4_000)


@pytest.fixture(scope="session")
def outside(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The packaged model, in a folder by which SQL cannot run it, since it names its mean otherwise."""
    folder = tmp_path_factory.mktemp("model") / "outside"
    shutil.copytree(packaged_folder(), folder)
    (folder / "1_Pooling" / "config.json").write_text(
        json.dumps({"word_embedding_dimension": 384, "pooling_mode_mean_sqrt_len_tokens": True})
    )
    return f"sentence-transformers:{folder}"


def run_outside(url: str, model: str) -> None:
    migrate(url, "audience", model=model, weighting=None, measure=measure)
    run_demo(url, None, "places")


@pytest.fixture
def places(cluster18: Cluster, outside: str) -> str:
    """The toy places in a space whose model stays outside."""
    return cluster18.clone("outside", lambda url: run_outside(url, outside))


@pytest.fixture
def fitted(cluster18: Cluster, outside: str) -> str:
    """The same with a small token table."""

    def fill(url: str) -> None:
        run_outside(url, outside)
        with connect(url) as connection:
            distill_space(connection, open_space(connection, "audience"), None)

    return cluster18.clone("fitted", fill)


def add_entries(connection: psycopg.Connection, first: int, last: int) -> None:
    connection.execute("insert into entries (entry) select 'Fencing Hall ' || n from generate_series(%s::int, %s) n",
                       [first, last])  # fmt: skip
    connection.commit()
    embed_space(connection, open_space(connection, "audience"), None)


def load(url: str, folder: Path, *options: str) -> Result:
    (folder / "rows.csv").write_text("user,item\nann,Fencing Hall\nbob,Opera House\n")
    return CliRunner().invoke(cli, ["--database", url, "load", str(folder / "rows.csv"), *options])


def one(url: str, query: str) -> object:
    with connect(url) as connection:
        return connection.execute(query.encode()).fetchone()[0]  # type: ignore[index]


def test_new_texts_come_close_to_the_model(places: str, capfd: pytest.CaptureFixture[str]) -> None:
    with connect(places) as connection:
        space = open_space(connection, "audience")
        provider = space_provider(space, None)
        texts, tokens = distillation_cost(connection, provider)
        assert 6_000 < texts < 10_000 < tokens
        assert distill(connection, space, provider) > 4_000
        assert distillation_cost(connection, provider) == (0, 0)

        exact = provider.embed_queries(QUERIES).tolist()
        connection.execute("set transaction read only")
        assert {row[0] for row in connection.execute("select query_source(unnest(%s::text[]))", [list(QUERIES)])} == {
            "approximate"
        }
        cosines = [row[0] for row in connection.execute(COSINES, [list(QUERIES), [str(each) for each in exact]])]
        assert min(cosines) > 0.7, cosines
        first = connection.execute("select user_id from search_users('winter sports in the mountains', k => 1)")
        assert first.fetchone() == ("user_ski_only",)
        assert connection.execute("select count(*) from tokens where embedding is null").fetchone() == (0,)
        assert connection.execute("select distilled_entries from space").fetchone() == (38,)
    assert "Distilling: " in capfd.readouterr().err


def test_what_has_a_vector_is_not_embedded_again(places: str) -> None:
    """Entries and queries that a fit would ask for: their vectors are taken, to half precision."""
    with connect(places) as connection:
        space = open_space(connection, "audience")
        provider = space_provider(space, None)
        words = [text for text in training.missing_texts(connection, provider) if text.isalpha()]
        entry, query = words[100], words[200]
        connection.execute("insert into entries (entry) values (%s)", [entry])
        connection.execute("insert into queries (query) values (%s)", [query])
        connection.commit()
        embed_space(connection, space, None)
        assert {entry, query}.isdisjoint(training.missing_texts(connection, provider))
        found = connection.execute(
            "select count(*), min(1 - (x.embedding::vector <=> v.embedding)) from training_texts x"
            " join (select e.entry as text, v.embedding from entries e join entry_vectors v using (entry_key)"
            " union all select query, embedding from queries) v using (text) where x.text = any (%s)",
            [[entry, query]],
        ).fetchone()
        assert found and found[0] == 2 and found[1] > 0.99999


def test_an_interrupted_run_goes_on_where_it_stopped(places: str) -> None:
    with connect(places) as connection:
        space = open_space(connection, "audience")
        provider = space_provider(space, None)
        before, _ = distillation_cost(connection, provider)

        class Stops:
            name = provider.name
            dimensions = provider.dimensions
            batch_size = 512
            count_tokens = provider.count_tokens
            calls = 0

            def embed_queries(self, texts: list[str]) -> object:
                Stops.calls += 1
                if Stops.calls > 3:
                    raise KeyboardInterrupt
                return provider.embed_queries(texts)

        with pytest.raises(KeyboardInterrupt):
            distill(connection, space, Stops())  # type: ignore[arg-type]
        connection.rollback()
        assert connection.execute("select count(*) from tokens").fetchone() == (0,)
        assert distillation_cost(connection, provider)[0] == before - 3 * 512


def test_a_refit_costs_as_much_as_the_entries_have_grown(fitted: str) -> None:
    with connect(fitted) as connection:
        space = open_space(connection, "audience")
        provider = space_provider(space, None)
        assert not distillation_due(connection)
        add_entries(connection, 1, 7)
        assert not distillation_due(connection)
        add_entries(connection, 8, 8)
        assert distillation_due(connection)
        assert 500 < distillation_cost(connection, provider)[0] < 4_000 * 8 / 46 + 50
        add_entries(connection, 9, 38)
        texts = training.missing_texts(connection, provider)
        assert 1_500 < len(texts) < 2_100
        assert sum("fencing" in text.lower() or "hall" in text.lower() for text in texts) > 300
        assert training.missing_texts(connection, provider) == texts

        connection.execute("delete from tokens")
        connection.commit()
        distill(connection, space, provider)
        assert not distillation_due(connection)
        assert distillation_cost(connection, provider) == (0, 0)
        connection.execute("delete from entry_vectors where entry_key <= 20")
        assert distillation_cost(connection, provider) == (0, 0)


def test_a_load_distills_when_it_is_due(places: str, tmp_path: Path) -> None:
    for option in ("--no-distill", "--no-embed"):
        assert load(places, tmp_path, option).exit_code == 0
        assert one(places, "select count(*) from tokens") == 0
    first = load(places, tmp_path)
    assert "texts, about " in first.stderr and "Distilled " in first.stderr
    fitted_at = one(places, "select distilled_at from space")
    assert one(places, "select query_source('musketeers at night')") == "approximate"
    assert "Distill" not in load(places, tmp_path).stderr
    assert one(places, "select distilled_at from space") == fitted_at


def test_a_load_outlives_a_distillation_that_fails(
    places: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ProviderError("out of order")

    monkeypatch.setattr("pgaudience.distilling.token_table.embed_texts", fails)
    done = load(places, tmp_path)
    assert isinstance(done.exception, ProviderError)
    assert one(places, "select not t.stale and s.distilled_at is null from status t, space s") is True
    assert one(places, "select count(*) from user_vectors where user_id in ('ann', 'bob')") == 2
    with connect(places) as connection:
        assert not others_turn(connection)


def test_one_process_at_a_time(fitted: str, capfd: pytest.CaptureFixture[str]) -> None:
    with connect(fitted) as other, connect(fitted) as connection:
        space = open_space(connection, "audience")
        provider = space_provider(space, None)
        connection.execute("delete from tokens")
        connection.commit()
        waiting = threading.Thread(target=distill, args=(connection, space, provider))
        take_turn(other)
        with connect(fitted) as third:
            distill_space(third, space, None)
        assert "Another process is distilling the space" in capfd.readouterr().err
        waiting.start()
        queued = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
        for _ in range(100):
            if one(fitted, queued):
                break
            time.sleep(0.1)
        assert one(fitted, "select count(*) from tokens") == 0
        other.rollback()
        waiting.join(timeout=120)
        assert "Waiting for another process" in capfd.readouterr().err
        assert one(fitted, "select count(*) from tokens where embedding is not null") > 4_000  # type: ignore[operator]


def test_a_space_without_vectors(space: str) -> None:
    with connect(space) as connection:
        assert not distillation_due(connection)
    with connect(space) as connection, pytest.raises(PgaudienceError, match="no entry has a vector yet"):
        distillation_cost(connection, None)  # type: ignore[arg-type]


def test_the_texts_are_the_same_every_time() -> None:
    words = [("the", 0.05), ("snow", 1e-4), ("red", 1e-4)]
    foreign = [["schnee", "berg"], ["nieve"]]
    drawn = [
        synthetic.SyntheticTexts(["Ski Aspen", "Jazz {club}"], ["ski", "jazz"], words, foreign, seed=seed).draw(500)
        for seed in (7, 7, 8)
    ]
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(set(drawn[0])) == len(drawn[0]) > 100


def test_sql_computes_what_was_fitted(fitted: str) -> None:
    """A sum of token vectors of unit length, and what the two layers add to it."""
    text = "warm coffee on a snowy mountain"
    with connect(fitted) as connection:
        found, total = connection.execute(
            "select embed(%(text)s)::real[], sum(t.embedding::vector)::real[]"
            " from unnest(tokenize(%(text)s)) q (token) join tokens t using (token)",
            {"text": text},
        ).fetchone() or ((), ())
        rows = connection.execute("select layer, weights::vector::real[], bias from token_layers order by layer, unit")
        layers = rows.fetchall()
    direction = np.array(total) / np.linalg.norm(total)
    weights = {number: np.array([row[1] for row in layers if row[0] == number]) for number in (1, 2)}
    bias = np.array([row[2] for row in layers if row[0] == 1])
    added = weights[2] @ np.maximum(weights[1] @ direction + bias, 0)
    expected = (direction + added) / np.linalg.norm(direction + added)
    assert np.linalg.norm(added) > 0.05
    assert found == pytest.approx(expected.tolist(), abs=2e-3)


def test_refining_brings_sums_closer() -> None:
    """Targets that no sum reaches: two tokens together mean something else."""
    random = np.random.default_rng(2)
    tokens = random.standard_normal((30, 8)).astype(np.float32)
    texts = [sorted(random.choice(30, 2, replace=False).tolist()) for _ in range(3_000)]
    sums = np.array([tokens[text].sum(0) for text in texts])
    targets = np.abs(sums) + 0.5 * sums
    targets = (targets / np.linalg.norm(targets, axis=1, keepdims=True)).astype(np.float32)
    examples = Examples(texts, targets, np.ones(len(texts), dtype=np.float32))
    with progress("Fitting", EPOCHS, "steps") as shown:
        refined, layer = refine(examples, tokens, shown)
    cosines = []
    for vectors, corrected in ((tokens, lambda sums: sums), (refined, layer)):
        unit = np.array([vectors[text].sum(0) for text in texts])
        results = corrected(unit / np.linalg.norm(unit, axis=1, keepdims=True))
        cosines.append(float(((results / np.linalg.norm(results, axis=1, keepdims=True)) * targets).sum(1).mean()))
    assert cosines[1] > cosines[0] + 0.05


def test_a_writer_may_distill(places: str) -> None:
    with psycopg.connect(places, autocommit=True) as owner:
        owner.execute("create role distiller_of_places")
        owner.execute("grant audience_writer to distiller_of_places")
    try:
        with connect(places) as connection:
            connection.execute("set role distiller_of_places")
            connection.commit()
            space = open_space(connection, "audience")
            assert distill(connection, space, space_provider(space, None)) > 4_000
    finally:
        with psycopg.connect(places, autocommit=True) as owner:
            owner.execute("drop role distiller_of_places")


@pytest.mark.parametrize(
    "entry, due", [("Café ❤️", True), ("佐々木", True), ("soft\u00adhyphen", True), ("Café №5", False)]
)
def test_a_table_fitted_before_emoji_were_words_is_due(toy: str, entry: str, due: bool) -> None:
    """The texts that have other words now than before are those an upgrade looks for."""
    (migration,) = (folder("migrations") / "versions").glob("*_emoji_words.py")
    with connect(toy) as connection:
        connection.execute("insert into entries (entry) values (%s)", [entry])
        connection.execute("insert into tokens (token, embedding) values ('ski', '[1,0,0]')")
        connection.execute("update space set distilled_at = now(), distilled_entries = 1000")
        assert not distillation_due(connection)
        connection.execute(runpy.run_path(str(migration))["STALE"].format(entries="entries"))
        assert distillation_due(connection) is due
