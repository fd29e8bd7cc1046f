"""The embed step against a real service that counts what it was asked for: once each, whatever happens."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import threading
from collections import Counter
from collections.abc import Iterator

import psycopg
import pytest

from conftest import Cluster, connect, run_psql
from openai_server import DIMENSIONS, OpenAIServer, serving
from pgaudience.database import open_space
from pgaudience.embedding.embed import embed_pending
from pgaudience.embedding.provider import Provider, ProviderError
from pgaudience.embedding.registry import provider_for
from pgaudience.installing import migrate
from pgaudience.pipeline import embed_query, embed_space, estimate_space

pytestmark = pytest.mark.slow

ENTRIES = 60
BATCH = 8


class Silent:
    def advance(self, steps: int) -> None:
        pass


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with serving() as found:
        yield found


@pytest.fixture
def provider(server: OpenAIServer) -> Provider:
    return small_batches(server)


def small_batches(server: OpenAIServer) -> Provider:
    found = provider_for(server.model, base_url=server.url)
    found.batch_size = BATCH  # type: ignore[misc]
    return found


@pytest.fixture
def space(cluster: Cluster, server: OpenAIServer) -> str:
    """A space of the model that is served, with sixty entries and no vector."""

    def fill(url: str) -> None:
        with psycopg.connect(url) as connection:
            connection.execute("create extension vector with schema public")
        migrate(url, "audience", model=server.model, weighting=None, measure=lambda _: (server.model, DIMENSIONS))
        with connect(url) as connection:
            connection.execute(f"insert into entries (entry) select 'place ' || n from generate_series(1, {ENTRIES}) n")

    return cluster.clone("served", fill)


def sent(server: OpenAIServer) -> Counter[str]:
    """What was paid for, but for the one word by which an unknown model's dimensions are found."""
    paid = server.paid()
    del paid["length"]
    return paid


def count(url: str, relation: str) -> int:
    with connect(url) as connection:
        found = connection.execute(f"select count(*) from {relation}").fetchone()
        assert found
        return found[0]


def test_every_entry_is_embedded_once(space: str, server: OpenAIServer, provider: Provider) -> None:
    with connect(space) as connection:
        done = embed_pending(connection, provider, Silent())
        again = embed_pending(connection, provider, Silent())
    assert (done.stored, done.failed, again.stored) == (ENTRIES, 0, 0)
    assert sent(server) == Counter({f"place {n}": 1 for n in range(1, ENTRIES + 1)})
    batches = [request.texts for request in server.requests if request.texts != ["length"]]
    assert max(map(len, batches)) == BATCH
    lengths = [len(text) for texts in batches for text in texts]
    assert lengths == sorted(lengths, reverse=True)
    with connect(space) as connection:
        off = connection.execute("select max(abs(vector_norm(embedding) - 1)) from entry_vectors").fetchone()
        entry, stored = connection.execute(
            "select entry, embedding::real[] from entries join entry_vectors using (entry_key) limit 1"
        ).fetchone()  # type: ignore[misc]
    assert off and off[0] < 1e-6
    assert provider.embed([entry])[0] @ stored == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("moment", ["between batches", "in a batch"])
def test_a_killed_process_resumes(space: str, server: OpenAIServer, provider: Provider, moment: str) -> None:
    script = f"""
    import os, signal
    from conftest import connect
    from pgaudience.embedding.embed import embed_pending
    from pgaudience.embedding.registry import provider_for

    provider = provider_for({server.model!r}, base_url={server.url!r})
    provider.batch_size = {BATCH}
    calls, embed = [], provider.embed

    def embed_and_die(texts):
        vectors = embed(texts)
        calls.append(texts)
        if {moment!r} == "in a batch" and len(calls) == 4:
            os.kill(os.getpid(), signal.SIGKILL)
        return vectors

    class Die:
        def advance(self, steps):
            if {moment!r} == "between batches" and len(calls) == 3:
                os.kill(os.getpid(), signal.SIGKILL)

    provider.embed = embed_and_die
    with connect({space!r}) as connection:
        embed_pending(connection, provider, Die())
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], cwd="tests", timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert count(space, "entry_vectors") == 3 * BATCH
    with connect(space) as connection:
        rest = embed_pending(connection, provider, Silent())
    assert rest.stored == ENTRIES - 3 * BATCH
    twice = sum(times - 1 for times in sent(server).values())
    assert twice == (0 if moment == "between batches" else BATCH)


def test_two_processes_share_the_work(space: str, server: OpenAIServer) -> None:
    stored: list[int] = []
    providers = [small_batches(server), small_batches(server)]
    start = threading.Barrier(2)

    def work(provider: Provider) -> None:
        with connect(space) as connection:
            start.wait()
            stored.append(embed_pending(connection, provider, Silent()).stored)

    threads = [threading.Thread(target=work, args=(provider,)) for provider in providers]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sum(stored) == count(space, "entry_vectors") == ENTRIES
    assert set(sent(server).values()) == {1}


def test_a_bad_text_fails_alone_and_is_tried_again_by_the_next_run(
    space: str, server: OpenAIServer, provider: Provider
) -> None:
    server.refuse = "place 17"
    with connect(space) as connection:
        for attempts in (1, 2):
            done = embed_pending(connection, provider, Silent())
            assert done.failed == 1
            failure = connection.execute(
                "select entry, attempts, error from entry_failures join entries using (entry_key)"
            )
            entry, tried, error = failure.fetchone()  # type: ignore[misc]
            assert (entry, tried) == ("place 17", attempts) and error
        status = connection.execute("select entries_embedded, entries_pending, entries_failed from status").fetchone()
        assert status == (ENTRIES - 1, 0, 1)
        server.refuse = None
        assert embed_pending(connection, provider, Silent()).stored == 1
        assert connection.execute("select count(*) from entry_failures").fetchone() == (0,)
    assert set(sent(server).values()) == {1}


def test_a_service_that_stops_keeps_what_was_paid(space: str, server: OpenAIServer, provider: Provider) -> None:
    class Stop:
        def advance(self, steps: int) -> None:
            server.fail_next(1000, status=401)

    with connect(space) as connection, pytest.raises(ProviderError):
        embed_pending(connection, provider, Stop())
    assert count(space, "entry_vectors") == BATCH
    assert count(space, "entry_failures") == 0


def test_a_model_of_other_dimensions_is_refused(space: str, server: OpenAIServer) -> None:
    with connect(space) as connection:
        connection.execute("update space set dimensions = 400")
        connection.commit()
        with pytest.raises(ProviderError, match="dimensions"):
            embed_space(connection, open_space(connection, "audience"), server.url)
    assert count(space, "entry_vectors") == 0


def test_a_dry_run_counts_and_pays_nothing(space: str, server: OpenAIServer) -> None:
    with connect(space) as connection:
        texts, tokens = estimate_space(connection, open_space(connection, "audience"), server.url)
    assert texts == ENTRIES and tokens >= ENTRIES
    assert not sent(server)


def test_queries_wait_for_the_next_run(space: str, server: OpenAIServer) -> None:
    assert run_psql(space, "-Atc", "select request_embedding('  night   life ')").stdout == "waiting\n"
    with connect(space) as connection:
        embed_space(connection, open_space(connection, "audience"), server.url)
    assert run_psql(space, "-Atc", "select query_source('night life'), vector_dims(embed('night life'))").stdout == (
        f"exact|{DIMENSIONS}\n"
    )


def test_a_query_is_paid_once(space: str, server: OpenAIServer) -> None:
    with connect(space) as connection:
        facts = open_space(connection, "audience")
        for _ in range(2):
            embed_query(connection, facts, "night life", server.url)
    assert sent(server) == Counter({"night life": 1})
