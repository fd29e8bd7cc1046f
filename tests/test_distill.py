"""The token table, fitted to the packaged model: fewer words and texts than in earnest, the same code."""

from __future__ import annotations

import psycopg
import pytest

from conftest import connect
from pgaudience.database import open_space
from pgaudience.distilling import distill, distillation_cost, synthetic, vocabulary
from pgaudience.errors import PgaudienceError
from pgaudience.pipeline import space_provider

QUERIES = ("winter sports in the mountains", "children and family", "scary movies", "coffee in the city")

COSINES = """
select 1 - (embed(q) <=> e) from unnest(%s::text[], %s::vector[]) as given (q, e)
"""


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "GENERAL_WORDS", 4_000)
    monkeypatch.setattr(vocabulary, "OTHER_WORDS", 100)
    monkeypatch.setattr("pgaudience.distilling.token_table.TEXTS", 4_000)


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


def test_an_interrupted_run_goes_on_where_it_stopped(places: str) -> None:
    with connect(places) as connection:
        space = open_space(connection, "audience")
        provider = space_provider(space, None)
        before, _ = distillation_cost(connection, provider)

        class Stops:
            name = provider.name
            dimensions = provider.dimensions
            batch_size = 512
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


def test_a_space_without_vectors(space: str) -> None:
    with connect(space) as connection, pytest.raises(PgaudienceError, match="no entry has a vector yet"):
        distillation_cost(connection, None)  # type: ignore[arg-type]


def test_the_texts_are_the_same_every_time() -> None:
    words = [("the", 0.05), ("snow", 1e-4), ("red", 1e-4)]
    drawn = [synthetic.SyntheticTexts(["Ski Aspen", "Jazz {club}"], ["ski", "jazz"], words).draw(500) for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) == len(drawn[0]) > 100


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
