"""The text that is embedded: exactly the entries whose text changed are embedded again, and each text is paid once."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import textwrap
import threading
from collections import Counter
from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import Cluster, _fill_empty, connect, migrate_toy
from former import former_space
from openai_server import DIMENSIONS, OpenAIServer, serving
from pgaudience import distilling
from pgaudience.database import open_space
from pgaudience.embedding.embed import Embedded, embed_pending
from pgaudience.embedding.provider import Provider
from pgaudience.embedding.registry import provider_for
from pgaudience.installing import migrate
from pgaudience.pipeline import embed_space, estimate_space
from pgaudience.worker import Worker

pytestmark = [pytest.mark.slow, pytest.mark.newest]

BATCH = 8
PRODUCTS = 30
TEMPLATE = "{entry} — {aisle}, {department}"


class Silent:
    def advance(self, steps: int) -> None:
        pass


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with serving() as found:
        yield found


@pytest.fixture
def provider(server: OpenAIServer) -> Provider:
    found = provider_for(server.model, base_url=server.url)
    found.batch_size = BATCH  # type: ignore[misc]
    return found


@pytest.fixture
def space(cluster: Cluster, server: OpenAIServer, provider: Provider) -> str:
    """Thirty products of three aisles, all of them embedded; what that cost is forgotten."""

    def fill(url: str) -> None:
        with psycopg.connect(url) as connection:
            connection.execute("create extension vector with schema public")
        migrate(url, "audience", model=server.model, weighting=None, measure=lambda _: (server.model, DIMENSIONS))
        run(url, f"""
            insert into entries (entry, attributes)
            select 'product ' || n, jsonb_build_object('aisle', 'aisle ' || n % 3)
            from generate_series(1, {PRODUCTS}) n""")  # fmt: skip
        embed(url, provider)

    url = cluster.clone("products", fill)
    server.requests.clear()
    return url


def run(url: str, statement: str, *values: object) -> list[tuple]:
    with connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []


def embed(url: str, provider: Provider) -> Embedded:
    with connect(url) as connection:
        return embed_pending(connection, provider, Silent())


def sent(server: OpenAIServer) -> Counter[str]:
    """What was paid for, but for the one word by which an unknown model's dimensions are found."""
    paid = server.paid()
    del paid["length"]
    return paid


def waiting(url: str) -> list[tuple]:
    return run(url, "select entries_embedded, entries_pending, entries_outdated, entries_failed from status")


def is_vector_of(url: str, provider: Provider, entry: str, text: str) -> bool:
    ((stored,),) = run(
        url, "select embedding::real[] from entry_vectors join entries using (entry_key) where entry = %s", entry
    )
    return bool(provider.embed([text])[0] @ stored > 0.9999)


def test_a_template_embeds_every_text_it_changes(space: str, server: OpenAIServer, provider: Provider) -> None:
    run(space, "update entries set attributes = '{}' where entry in ('product 1', 'product 2')")
    run(space, "update space set entry_template = %s", TEMPLATE)
    assert waiting(space) == [(PRODUCTS, 0, PRODUCTS - 2, 0)]
    assert is_vector_of(space, provider, "product 3", "product 3")
    server.requests.clear()
    done = embed(space, provider)
    assert (done.stored, done.failed, done.copied) == (PRODUCTS - 2, 0, 0)
    assert sent(server) == Counter({f"product {n} — aisle {n % 3}": 1 for n in range(3, PRODUCTS + 1)})
    assert waiting(space) == [(PRODUCTS, 0, 0, 0)]
    assert is_vector_of(space, provider, "product 3", "product 3 — aisle 0")
    assert embed(space, provider) == Embedded()


def test_an_attribute_embeds_the_entries_that_show_it(space: str, server: OpenAIServer, provider: Provider) -> None:
    run(space, "update entries set attributes = attributes || '{\"price\": 3}'")
    assert waiting(space) == [(PRODUCTS, 0, 0, 0)]
    run(space, "update space set entry_template = '{entry}, {price} EUR'")
    embed(space, provider)
    server.requests.clear()
    run(space, 'update entries set attributes = attributes || \'{"aisle": "other"}\'')
    run(space, "update entries set attributes = attributes || '{\"price\": 4}' where entry = 'product 7'")
    run(space, "update entries set attributes = attributes - 'price' where entry = 'product 8'")
    assert embed(space, provider).stored == 2
    assert sent(server) == Counter(["product 7, 4 EUR", "product 8"])


def test_a_text_of_several_entries_is_paid_once(space: str, server: OpenAIServer, provider: Provider) -> None:
    run(space, "update space set entry_template = '{aisle}'")
    with connect(space) as connection:
        facts = open_space(connection, "audience")
        assert estimate_space(connection, facts, server.url)[0] == 3
        embed_space(connection, facts, server.url)
    assert sent(server) == Counter(f"aisle {n}" for n in range(3))
    assert waiting(space) == [(PRODUCTS, 0, 0, 0)]
    assert run(space, "select count(distinct embedding) from entry_vectors") == [(3,)]

    run(space, "insert into entries (entry, attributes) values ('a', '{\"aisle\": \"aisle 1\"}'), ('aisle 2', '{}')")
    server.requests.clear()
    with connect(space) as connection:
        assert estimate_space(connection, facts, server.url)[0] == 0
    assert embed(space, provider) == Embedded(seen=2, copied=2)
    assert not sent(server)
    assert run(space, "select count(distinct embedding) from entry_vectors") == [(3,)]


def test_a_vector_without_a_hash_is_of_the_entry_itself(space: str, server: OpenAIServer, provider: Provider) -> None:
    run(space, "update entry_vectors set text_hash = null")
    assert waiting(space) == [(PRODUCTS, 0, 0, 0)]
    run(space, "insert into entries (entry, attributes) values ('new', '{\"name\": \"product 4\"}')")
    run(space, "update space set entry_template = '{name}'")
    assert embed(space, provider) == Embedded(seen=1, copied=1)
    assert is_vector_of(space, provider, "new", "product 4")


def test_a_refused_text_keeps_the_old_vector(space: str, server: OpenAIServer, provider: Provider) -> None:
    run(space, "update space set entry_template = '{aisle}'")
    server.refuse = "aisle 1"
    done = embed(space, provider)
    assert (done.stored, done.failed) == (2, 1)
    assert run(space, "select count(*), min(attempts), max(attempts) from entry_failures") == [(10, 1, 1)]
    assert waiting(space) == [(PRODUCTS, 0, 0, 10)]
    assert embed(space, provider).failed == 1
    assert run(space, "select min(attempts), max(attempts) from entry_failures") == [(2, 2)]

    server.refuse = None
    assert is_vector_of(space, provider, "product 1", "product 1")
    run(space, "update entries set attributes = '{\"aisle\": \"aisle 2\"}' where entry = 'product 1'")
    assert waiting(space) == [(PRODUCTS, 0, 1, 9)]
    server.requests.clear()
    done = embed(space, provider)
    assert (done.stored, done.copied) == (1, 9)
    assert sent(server) == Counter(["aisle 1"])
    assert waiting(space) == [(PRODUCTS, 0, 0, 0)]
    assert run(space, "select count(*) from entry_failures") == [(0,)]


def test_a_killed_process_resumes(space: str, server: OpenAIServer, provider: Provider) -> None:
    run(space, "update space set entry_template = %s", TEMPLATE)
    script = f"""
    import os, signal
    from conftest import connect
    from pgaudience.embedding.embed import embed_pending
    from pgaudience.embedding.registry import provider_for

    provider = provider_for({server.model!r}, base_url={server.url!r})
    provider.batch_size = {BATCH}
    calls, embed = [], provider.embed

    def embed_and_die(texts):
        calls.append(texts)
        vectors = embed(texts)
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return vectors

    class Silent:
        def advance(self, steps):
            pass

    provider.embed = embed_and_die
    with connect({space!r}) as connection:
        embed_pending(connection, provider, Silent())
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], cwd="tests", timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert waiting(space) == [(PRODUCTS, 0, PRODUCTS - 2 * BATCH, 0)]
    assert embed(space, provider).stored == PRODUCTS - 2 * BATCH
    assert sum(times - 1 for times in sent(server).values()) == BATCH


def test_processes_share_the_texts(space: str, server: OpenAIServer) -> None:
    run(space, "update entries set attributes = jsonb_build_object('kind', 'kind ' || entry_key % 20)")
    run(space, "update space set entry_template = '{kind}'")
    start = threading.Barrier(3)

    def work() -> None:
        mine = provider_for(server.model, base_url=server.url)
        mine.batch_size = 2  # type: ignore[misc]
        start.wait()
        embed(space, mine)

    threads = [threading.Thread(target=work) for _ in range(3)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert waiting(space) == [(PRODUCTS, 0, 0, 0)]
    assert sent(server) == Counter(f"kind {n}" for n in range(20))


def test_a_worker_hears_of_attributes_and_templates(space: str, server: OpenAIServer) -> None:
    worker = Worker(space, ["audience"], poll=3600, base_url=server.url)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        for statement, texts in (
            ("update space set entry_template = '{entry} ({aisle})'", PRODUCTS),
            ("update entries set attributes = '{\"aisle\": \"x\"}' where entry = 'product 1'", PRODUCTS + 1),
        ):
            run(space, statement)
            for _ in range(600):
                if len(sent(server)) == texts and waiting(space) == [(PRODUCTS, 0, 0, 0)]:
                    break
                thread.join(0.05)
            assert len(sent(server)) == texts
    finally:
        worker.stop()
        thread.join(30)


def test_the_token_table_is_of_the_texts_embedded(space: str, provider: Provider) -> None:
    run(space, "update space set entry_template = %s", TEMPLATE)
    run(space, 'update entries set attributes = \'{"aisle": "zzyzx"}\'')
    with connect(space) as connection:
        assert not distilling.distillation_due(connection)
        embed_pending(connection, provider, Silent())
        assert distilling.distillation_due(connection)
        with connection.transaction():
            from pgaudience.distilling.vocabulary import create_vocabulary

            create_vocabulary(connection)
            found = connection.execute("select in_entries from vocabulary where token = 'zzyzx'").fetchall()
    assert found == [(True,)]


# What a template makes

WORDS = st.sampled_from(["{{", "}}", " in ", ", Job: "])
NAMES = ["a", "b", "c d", "entry"]


@st.composite
def templates(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A template, and the names in it; brackets of one kind, so that they cannot cross."""
    brackets = draw(st.sampled_from(["()", "[]", "“”", "«»"]))
    words = st.text(alphabet=f" ,;:.{brackets}-—/|&aZé9\n", max_size=8) | WORDS
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5))
    literals = draw(st.lists(words, min_size=len(names) + 1, max_size=len(names) + 1))
    pairs = zip(literals, [f"{{{name}}}" for name in names], strict=False)
    return "".join(part for pair in pairs for part in pair) + literals[-1], names


def test_a_template_filled_at_random(cluster18: Cluster) -> None:
    """With every value it is what str.format makes of it; with some, these are there, in their order."""
    url = cluster18.clone("space", migrate_toy)
    query = "select entry_text(null, %s::jsonb, %s)"
    with connect(url, autocommit=True) as connection:

        @settings(max_examples=300, deadline=None)
        @given(templates(), st.sets(st.sampled_from(NAMES)))
        def fill(made: tuple[str, list[str]], missing: set[str]) -> None:
            template, names = made
            values = {name: f"<{name.upper()}>" for name in NAMES}
            (text,) = connection.execute(query, [json.dumps(values), template]).fetchone() or ("",)
            assert text == template.format_map(values).strip(" ")
            for name in missing:
                del values[name]
            (text,) = connection.execute(query, [json.dumps(values), template]).fetchone() or ("",)
            left = [values[name] for name in names if name in values]
            assert re.findall("<[^>]*>", text or "") == left
            assert (text is None) == (not left)

        fill()


@pytest.mark.parametrize("template", ["", "a", "{", "}", "{}", "{ }", "{a", "a}", "{{a}", "{a{b}}", "{{{a}}", "{{a}}"])
def test_what_is_no_template(cluster18: Cluster, template: str) -> None:
    url = cluster18.clone("space", migrate_toy)
    for statement in ("select entry_text('x', '{}', %s)", "update space set entry_template = %s"):
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="the template") as caught:
            run(url, statement, template)
        assert "Write" in (caught.value.diag.message_hint or "")


# The template of a space


def test_migrate_sets_the_template(space: str) -> None:
    def again(template: str | None) -> None:
        migrate(space, "audience", model=None, weighting=None, entry_template=template, measure=lambda _: ("", 0))

    again("{entry} ({aisle})")
    again(None)
    assert run(space, "select entry_template, entries_outdated from space, status") == [("{entry} ({aisle})", PRODUCTS)]
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="names no value"):
        again("a product")
    assert run(space, "select entry_template from space") == [("{entry} ({aisle})",)]


def test_an_upgrade_keeps_every_vector(cluster: Cluster, server: OpenAIServer, provider: Provider) -> None:
    """From the release before there was a template."""
    url = cluster.clone("empty", _fill_empty)
    former_space(url, "0003", model=server.model, dimensions=DIMENSIONS)
    run(url, "insert into entries (entry) select 'product ' || n from generate_series(1, 5) n")
    run(
        url,
        "insert into entry_vectors (entry_key, embedding)"
        " select entry_key, array_fill(1, array[%s])::vector from entries",
        DIMENSIONS,
    )
    run(url, "insert into entries (entry) values ('refused')")
    run(
        url, "insert into entry_failures (entry_key, error) select entry_key, 'no' from entries where entry = 'refused'"
    )
    before = run(url, "select entry_key, embedding::text, embedded_at from entry_vectors order by 1")
    assert migrate(url, "audience", model=None, weighting=None, measure=lambda _: ("", 0)).changed
    assert waiting(url) == [(5, 0, 0, 1)]
    assert embed(url, provider).stored == 1
    assert sent(server) == Counter(["refused"])
    assert run(url, "select entry_key, embedding::text, embedded_at from entry_vectors order by 1 limit 5") == before


@pytest.mark.parametrize(
    "nested", ["(" * 4_990 + "{a}" + ")" * 4_990, "(" * 9_990 + "{a}", "({a}" * 1_999, "[(“«" * 2_400 + "{a}"]
)
def test_brackets_of_a_template_take_time_in_proportion(space: str, nested: str) -> None:
    """Each is seen once: it took minutes when the innermost were looked for again and again."""
    with connect(space) as connection:
        connection.execute("set statement_timeout = '20s'")
        (tokens,) = connection.execute("select template_tokens(%s)", [nested]).fetchone()
    assert "".join(token[1:] for token in tokens) == nested.replace("{a}", "a")
    matched = 4_990 if nested.endswith(")") else 0
    assert [sum(token[0] == kind for token in tokens) for kind in "oc"] == [matched, matched]


def test_a_template_has_an_end(space: str) -> None:
    found = pytest.raises(psycopg.errors.InvalidParameterValue, match="at most 10000")
    with connect(space) as connection, found as caught:
        connection.execute("select template_parts(%s)", ["{entry}" + "x" * 9_994])
    assert caught.value.diag.message_hint
