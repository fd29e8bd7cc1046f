"""The model inside PostgreSQL against the model itself: tokens, vectors, what is refused, what is left behind."""

from __future__ import annotations

import json
import shutil
import threading
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from pgvector.psycopg import register_vector
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer

from conftest import connect, packaged_folder, run_psql
from pgaudience import database
from pgaudience.checking import run_checks
from pgaudience.cli import cli
from pgaudience.database import open_space
from pgaudience.embedding.registry import DEFAULT_MODEL, measure
from pgaudience.embedding.sentence_transformers import SentenceTransformersProvider
from pgaudience.encoding import CannotRun, EncoderModel, ensure_encoder, read_model
from pgaudience.encoding import store as storing
from pgaudience.encoding.store import store_encoder
from pgaudience.encoding.weights import Weights
from pgaudience.installing import migrate
from pgaudience.pipeline import space_provider

pytestmark = pytest.mark.slow

LEAST_COSINE = 0.9999

TEXTS = (
    "ski enthusiasts",
    "people who love organic food and cooking at home with children",
    "Crème brûlée, für zwei — ½ price!",
    "Ski Zermatt Valais Switzerland",
    "don't e-mail me at 10:30 (or else) #hashtag @user",
    "東京の寿司と한국어 음식",
    "Лыжи в Альпах; Ελληνικά Σίγμα ΣΑΣ; İstanbul ıssız",
    "مرحبا بالعالم שלום עולם",
    "👩‍👩‍👧‍👦 🇨🇭 ☕️ snow\u200bboard \ufeff x\u0301\u0323 \u1100\u1161\u11a8",
    "[MASK] is [SEP] in [cls] [UNK][PAD]] [MA\x01SK] \x7f\x80\u0085\ufffd\u2028",
    "\ue000 private \U000f0000 unassigned \u0378 \U000e0001 tag",
    "x" * 101 + " " + "y" * 100 + " supercalifragilisticexpialidocious",
    "snowboarders’ après-ski: “hut”…¿qué?",
    "a",
    "1" * 60,
    "na\u00efve nai\u0308ve ﬁﬂ Ⅷ ㎏ ① ≠ ẞ ß",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𠀀𠀁 豈 \u302e\u302f",
    "\t tabs\nand\r\nlines \u3000 ",
)
EMPTY = ("", " ", "\u200b\ufeff", "\x01\x02", "\u0301", "\ufe0f")


@pytest.fixture(scope="module")
def provider() -> SentenceTransformersProvider:
    return SentenceTransformersProvider("all-MiniLM-L6-v2")


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    found = Tokenizer.from_file(str(packaged_folder() / "tokenizer.json"))
    found.no_padding()
    found.enable_truncation(256)
    return found


def tokens_in_sql(connection: psycopg.Connection, texts: Sequence[str]) -> list[list[str]]:
    rows = connection.execute(
        "select encoder_tokenize(t) from unnest(%s::text[]) with ordinality u (t, n) order by n", [list(texts)]
    )
    return [row[0] for row in rows]


def tokens_of(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[str]]:
    return [encoding.tokens[1:-1] for encoding in tokenizer.encode_batch(list(texts))]


def vectors_in_sql(connection: psycopg.Connection, texts: Sequence[str]) -> np.ndarray:
    register_vector(connection)
    found = connection.execute("select unnest(encode_texts(%s::text[]))", [list(texts)]).fetchall()
    return np.array([row[0].to_numpy() for row in found])


def cosines(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return (left * right).sum(1) / np.linalg.norm(left, axis=1) / np.linalg.norm(right, axis=1)


# Tokens


def test_the_tokens_are_those_of_the_model(encoded: str, tokenizer: Tokenizer) -> None:
    texts = [*TEXTS, *EMPTY, "word " * 400, "x" * 10_000, "漢" * 600, "a.b" * 5_000]
    with connect(encoded) as connection:
        assert tokens_in_sql(connection, texts) == tokens_of(tokenizer, texts)


def test_every_character_is_seen_as_the_model_sees_it(encoded: str, tokenizer: Tokenizer) -> None:
    """All of Unicode between letters, in words short enough to have pieces."""
    codes = [code for code in range(1, 0x110000) if not 0xD800 <= code < 0xE000]
    some = [code for code in codes if code < 0x3400 or 0xA000 <= code < 0xAC00 or code >= 0xD7A4]
    some = [code for code in some if code < 0x20000 or code % 97 == 0]
    texts = ["".join(f"s{chr(code)}" for code in some[at : at + 60]) for at in range(0, len(some), 60)]
    with connect(encoded) as connection:
        found = tokens_in_sql(connection, texts)
    assert [
        text for text, one, other in zip(texts, found, tokens_of(tokenizer, texts), strict=True) if one != other
    ] == []


def test_a_short_text_reads_no_table_whole(encoded: str) -> None:
    with connect(encoded) as connection:
        register_vector(connection)
        connection.execute("select encode_text('snowboarders and other people in Zermatt')")
        read = connection.execute(
            "select relname, seq_scan from pg_stat_xact_user_tables"
            " where relname in ('encoder_tokens', 'encoder_characters', 'encoder_positions', 'encoder_weights')"
            " and schemaname = 'audience' and seq_scan > 0"
        ).fetchall()
    assert read == []


def test_random_texts_have_the_same_tokens(encoded: str, tokenizer: Tokenizer) -> None:
    words = st.sampled_from(["ski", "ſ", "Ǆ", "[MASK]", "[", "##s", "한", "e\u0301", "\u0300", "ﷺ", "☃", "\u200d", " "])
    texts = st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12) | words)
    with connect(encoded) as connection:

        @settings(max_examples=300, deadline=None)
        @given(texts.map("".join))
        def check(text: str) -> None:
            assert tokens_in_sql(connection, [text]) == tokens_of(tokenizer, [text])

        check()


# Vectors


def test_the_vectors_are_those_of_the_model(encoded: str, provider: SentenceTransformersProvider) -> None:
    texts = [*TEXTS, *EMPTY, "word " * 60]
    exact = provider.embed(texts)
    with connect(encoded) as connection:
        together = vectors_in_sql(connection, texts)
        alone = np.array([vectors_in_sql(connection, [text])[0] for text in texts])
    assert min(cosines(together, exact)) >= LEAST_COSINE
    assert min(cosines(alone, exact)) >= LEAST_COSINE
    assert np.linalg.norm(together, axis=1) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("cluster", [18], indirect=True)
def test_the_longest_text_is_cut_where_the_model_cuts(encoded: str, provider: SentenceTransformersProvider) -> None:
    text = "and then we went to see another mountain " * 60
    with connect(encoded) as connection:
        assert min(cosines(vectors_in_sql(connection, [text]), provider.embed([text]))) >= LEAST_COSINE


def test_embed_climbs_the_ladder(encoded: str, provider: SentenceTransformersProvider) -> None:
    with connect(encoded, autocommit=True) as connection:
        register_vector(connection)
        exact = provider.embed_queries(["night clubs"])
        connection.execute("insert into entries (entry) values ('ski'), ('golf')")
        connection.execute("insert into entry_vectors (entry_key, embedding) values (1, %s)", [exact[0]])
        connection.execute("insert into queries (query, embedding) values ('golf', %s), ('sauna', null)", [exact[0]])
        connection.execute("set default_transaction_read_only = on")
        connection.execute("set role audience_reader")
        sources = [
            connection.execute("select query_source(%s)", [text]).fetchone()
            for text in ("ski", "golf", "sauna", "night clubs", *EMPTY)
        ]
        assert [row[0] for row in sources if row] == ["entry", "exact", "encoder", "encoder", *["none"] * len(EMPTY)]
        found = connection.execute("select embed(' night   clubs ')").fetchone()
        assert found and min(cosines(np.array([found[0].to_numpy()]), exact)) >= LEAST_COSINE
        for text, message in (("\u200b", "sees nothing"), ("  ", "blank"), ("[1, 2]", "looks like a vector")):
            with pytest.raises(psycopg.errors.InvalidParameterValue, match=message):
                connection.execute("select embed(%s)", [text])


def test_a_space_without_weights_says_so(space: str) -> None:
    with connect(space) as connection, pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="weights"):
        connection.execute("select encode_text('ski')")


def test_nothing_but_the_owner_may_change_a_weight(encoded: str) -> None:
    for role in ("audience_reader", "audience_writer"):
        for statement in ("update encoder_weights set bias = 0", "delete from encoder", "truncate encoder_tokens"):
            with connect(encoded) as connection:
                connection.execute(f"set role {role}".encode())
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement.encode())


# What does not run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the packaged model that a test may change."""
    return Path(shutil.copytree(packaged_folder(), tmp_path / "model"))


def edit(file: Path, change: Callable[[Any], object]) -> None:
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("file", "change", "reason"),
    [
        ("config.json", lambda c: c.update(model_type="xlm-roberta"), "architecture is xlm-roberta"),
        ("config.json", lambda c: c.update(position_embedding_type="relative_key"), "positions are relative_key"),
        ("config.json", lambda c: c.update(hidden_act="relu"), "activation is relu"),
        ("config.json", lambda c: c.update(layer_norm_eps=1e-3), "layer_norm_eps"),
        ("config.json", lambda c: c.update(hidden_size=1_536, intermediate_size=6_144), "too large"),
        ("tokenizer.json", lambda t: t["model"].update(type="Unigram"), "model of its tokenizer is Unigram"),
        ("tokenizer.json", lambda t: t.update(normalizer=None), "normalizer of its tokenizer is None"),
        ("tokenizer.json", lambda t: t["normalizer"].update(clean_text=False), "keeps control characters"),
        ("tokenizer.json", lambda t: t.update(post_processor=None), "one token before a text"),
        ("tokenizer.json", lambda t: t["added_tokens"][0].update(lstrip=True), "in a way of its own"),
        ("modules.json", lambda m: m.insert(2, {"type": "x.Dense", "path": "d"}), "Transformer, Pooling, Dense"),
        ("1_Pooling/config.json", lambda p: p.update(pooling_mode_max_tokens=True), "by max and mean"),
        ("1_Pooling/config.json", lambda p: p.update(include_prompt=False), "leaves its prompt out"),
    ],
)
def test_what_sql_cannot_run_is_refused(folder: Path, file: str, change: Callable[[Any], object], reason: str) -> None:
    edit(folder / file, change)
    with pytest.raises(CannotRun, match=reason):
        read_model(folder)


def test_a_folder_without_a_vocabulary(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").unlink()
    with pytest.raises(CannotRun, match=r"neither tokenizer\.json nor vocab\.txt"):
        read_model(folder)


def rows(model: EncoderModel) -> int:
    weights = Weights(model)
    return sum(1 for _ in (*weights.tokens(), *weights.positions(), *weights.norms(), *weights.units()))


def change_weights(folder: Path, change: Callable[[dict[str, np.ndarray]], object]) -> None:
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors")


NARROW = "encoder.layer.5.output.dense.weight"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda t: t.pop(NARROW), f"{NARROW} cannot be read"),
        (lambda t: t.update({NARROW: t[NARROW][:, :100]}), r"shape \(384, 100\), not \(384, 1536\)"),
        (lambda t: t.update({NARROW: np.where(t[NARROW] > 0.2, np.nan, t[NARROW])}), "not finite"),
        (lambda t: t.update({NARROW: t[NARROW] * np.float32(1e9)}), "beyond half precision"),
        (lambda t: t.pop("embeddings.word_embeddings.weight"), "no embeddings.word_embeddings"),
    ],
)
def test_weights_that_are_not_those_of_the_model(
    folder: Path, change: Callable[[dict[str, np.ndarray]], object], reason: str
) -> None:
    change_weights(folder, change)
    with pytest.raises(CannotRun, match=reason):
        rows(read_model(folder))


def test_a_file_that_was_cut(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:1_000_000])
    with pytest.raises(CannotRun, match=r"model\.safetensors cannot be read"):
        rows(read_model(folder))
    (folder / "config.json").write_text("{")
    with pytest.raises(CannotRun, match=r"config\.json cannot be read"):
        read_model(folder)


ENCODER_ROWS = """
select (select count(*) from encoder) + (select count(*) from encoder_weights) + (select count(*) from encoder_tokens)
    + (select count(*) from encoder_tests)
"""


def test_a_model_that_sql_computes_otherwise_is_not_stored(bare: str, folder: Path) -> None:
    """Weights of another model than the one that the vectors come from."""
    migrate(bare, "audience", model=DEFAULT_MODEL, weighting=None, measure=measure)
    change_weights(folder, lambda t: t.update({NARROW: -t[NARROW]}))
    with connect(bare) as connection:
        space = open_space(connection, "audience")
        with pytest.raises(CannotRun, match="cosine"):
            store_encoder(connection, space, SentenceTransformersProvider("all-MiniLM-L6-v2"), read_model(folder))
        connection.rollback()
        assert connection.execute(ENCODER_ROWS).fetchone() == (0,)


def test_a_run_that_dies_leaves_nothing_behind(bare: str, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate(bare, "audience", model=DEFAULT_MODEL, weighting=None, measure=measure)
    copy = storing._copy

    def dies(connection: psycopg.Connection, statement: str, *rest: Any) -> None:
        if "encoder_weights" in statement:
            with psycopg.connect(bare, autocommit=True) as other:
                other.execute("select pg_terminate_backend(%s)", [connection.info.backend_pid])
        copy(connection, statement, *rest)

    monkeypatch.setattr(storing, "_copy", dies)
    with connect(bare) as connection, pytest.raises(psycopg.OperationalError):
        space = open_space(connection, "audience")
        ensure_encoder(connection, space, space_provider(space, None))
    monkeypatch.undo()
    with connect(bare) as connection:
        assert connection.execute(ENCODER_ROWS).fetchone() == (0,)
        space = open_space(connection, "audience")
        assert ensure_encoder(connection, space, space_provider(space, None)) is None
        connection.execute("update encoder_norms set layer = layer where layer = 1")
        assert connection.execute("select digest = encoder_digest() from encoder").fetchone() == (True,)


def test_a_writer_leaves_it_to_the_owner(bare: str) -> None:
    migrate(bare, "audience", model=DEFAULT_MODEL, weighting=None, measure=measure)
    with connect(bare) as connection:
        connection.execute("set role audience_writer")
        connection.commit()
        space = open_space(connection, "audience")
        assert ensure_encoder(connection, space, space_provider(space, None)) == (
            "only the owner of the space may store it"
        )


def test_fewer_dimensions_than_the_model_has(bare: str) -> None:
    migrate(
        bare, "audience", model=DEFAULT_MODEL, weighting=None, measure=lambda _: measure(DEFAULT_MODEL, dimensions=128)
    )
    with connect(bare) as connection:
        space = open_space(connection, "audience")
        provider = space_provider(space, None)
        assert ensure_encoder(connection, space, provider) is None
        assert min(cosines(vectors_in_sql(connection, TEXTS[:3]), provider.embed(TEXTS[:3]))) >= LEAST_COSINE


def test_decomposed_and_composed_are_one(encoded: str) -> None:
    text = "Crème brûlée à l'ancienne"
    with connect(encoded) as connection:
        composed, decomposed = tokens_in_sql(connection, [text, unicodedata.normalize("NFD", text)])
    assert composed == decomposed


# Entries in SQL alone


@pytest.fixture
def waiting(encoded: str) -> str:
    """The packaged model, and 150 entries and 2 queries that wait for their vectors."""
    with connect(encoded) as connection:
        connection.execute(
            "insert into activity_input (user_id, entry) select 'user ' || n % 5, 'Climbing hall ' || n"
            " from generate_series(1, 150) n"
        )
        connection.execute("insert into queries (query) values ('bouldering'), ('night clubs')")
    return encoded


def test_from_activity_to_a_search_in_psql_alone(waiting: str, provider: SentenceTransformersProvider) -> None:
    done = run_psql(
        waiting, "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1",
        "--command", "call embed_entries(max_texts => 70)",
        "--command", "select entries_embedded, entries_pending, queries_waiting from status",
        "--command", "call embed_entries()",
        "--command", "call refresh()",
        "--command", "select entries_embedded, entries_pending, queries_waiting from status",
        "--command", "select query_source('indoor climbing') || ', ' || count(*) || ' workers' from live_workers",
        "--command", "select user_id from search_users('indoor climbing', k => 1)",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line for line in lines if "|" in line] == ["70|80|2", "150|0|0"]
    assert lines[-2] == "encoder, 0 workers"
    assert lines[-1].startswith("user ")
    with connect(waiting) as connection:
        register_vector(connection)
        rows = connection.execute(
            "select entry, embedding from entries join entry_vectors using (entry_key)"
        ).fetchall()
        queries = connection.execute("select query, embedding from queries").fetchall()
    for found, exact in ((rows, provider.embed), (queries, provider.embed_queries)):
        vectors = np.array([vector.to_numpy() for _, vector in found])
        assert min(cosines(vectors, exact([text for text, _ in found]))) >= LEAST_COSINE


def test_texts_that_changed_are_embedded_again(waiting: str) -> None:
    with connect(waiting, autocommit=True) as connection:
        connection.execute("call embed_entries()")
        connection.execute('update entries set attributes = \'{"city": "Bern"}\' where entry_key <= 3')
        connection.execute("update space set entry_template = '{entry}, {city}'")
        assert connection.execute("select entries_outdated from status").fetchone() == (3,)
        connection.execute("call embed_entries()")
        assert connection.execute("select entries_outdated from status").fetchone() == (0,)
        near = (
            "select 1 - (v.embedding <=> encode_text(t.text)) from entry_vectors v join entry_texts t using (entry_key)"
        )
        assert min(row[0] for row in connection.execute(f"{near} where entry_key <= 3".encode())) > LEAST_COSINE


def test_two_sessions_share_the_entries(waiting: str) -> None:
    """What one has claimed the other leaves out: none is written twice."""
    with connect(waiting, autocommit=True) as connection:
        connection.execute("create table written (entry_key bigint)")
        connection.execute(
            "create function note() returns trigger language plpgsql set search_path from current"
            " as 'begin insert into written values (new.entry_key); return new; end'"
        )
        connection.execute(
            "create trigger note before insert or update on entry_vectors for each row execute function note()"
        )
        threads = [threading.Thread(target=call_embed_entries, args=(waiting,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        found = connection.execute("select count(*), count(distinct entry_key) from written").fetchone()
        assert found == (150, 150)


def call_embed_entries(url: str) -> None:
    with connect(url, autocommit=True) as connection:
        connection.execute("call embed_entries()")


def test_a_text_that_cannot_be_embedded_fails_alone(waiting: str) -> None:
    with connect(waiting, autocommit=True) as connection:
        connection.execute("insert into entries (entry) values ('an unknown sign \u2f00')")
        connection.execute("insert into queries (query) values ('\u2f00')")
        connection.execute("delete from encoder_tokens where token = '[UNK]'")
        for attempts in (1, 2):
            connection.execute("call embed_entries()")
            failed = connection.execute("select error, attempts from entry_failures").fetchall()
            assert failed == [("the model in this space lacks a token of its vocabulary", attempts)]
        assert connection.execute("select entries_embedded, entries_failed from status").fetchone() == (150, 1)
        rows = connection.execute("select query, error is null, attempts from queries order by query_key").fetchall()
        assert rows == [("bouldering", True, 0), ("night clubs", True, 0), ("\u2f00", False, 1)]


def test_embed_entries_says_why_it_cannot(waiting: str, toy: str) -> None:
    with connect(waiting) as connection, pytest.raises(psycopg.errors.ActiveSqlTransaction, match="autocommit"):
        connection.execute("call embed_entries()")
    with connect(waiting, autocommit=True) as connection, pytest.raises(psycopg.errors.InvalidParameterValue):
        connection.execute("call embed_entries(max_texts => -1)")
    with (
        connect(toy, autocommit=True) as connection,
        pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="does not run in SQL"),
    ):
        connection.execute("call embed_entries()")


# What is in the space, and what becomes of it


def failing(url: str) -> dict[str, str]:
    with database.connect(url) as connection:
        return {check.name: check.found for check in run_checks(connection, "audience") if not check.ok}


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("delete from encoder_weights where layer = 6 and matrix = 'wide' and unit = 7", "incomplete, or changed"),
        ("update encoder_weights set bias = bias + 1 where layer = 1 and unit = 7", "incomplete, or changed"),
        ("update encoder_tokens set embedding = embedding * embedding where token = 'ski'", "incomplete, or changed"),
        ("delete from encoder_tokens where token = '[CLS]'; update encoder set digest = encoder_digest()",
         "lacks a token"),
        ("update encoder_norms set shift = shift + scale where layer = 2; update encoder set digest = encoder_digest()",
         "to the model itself"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("cluster", [18], indirect=True)
def test_check_sees_damage_and_migrate_mends_it(encoded: str, damage: str, found: str) -> None:
    assert "model in SQL" not in failing(encoded)
    with connect(encoded) as connection:
        connection.execute(damage.encode())
    assert found in failing(encoded)["model in SQL"]
    if "wide" in damage:
        done = CliRunner().invoke(cli, ["--database", encoded, "migrate"])
        assert done.exit_code == 0 and "runs inside PostgreSQL" in done.stderr, done.output
        assert "model in SQL" not in failing(encoded)


def test_check_sees_that_the_folder_has_changed(bare: str, folder: Path) -> None:
    """What is stored goes on answering, as the vectors of the entries are of that model."""
    migrate(bare, "audience", model=f"sentence-transformers:{folder}", weighting=None, measure=measure)
    assert CliRunner().invoke(cli, ["--database", bare, "migrate"]).exit_code == 0
    assert "model in SQL" not in failing(bare)
    change_weights(folder, lambda t: t.update({NARROW: -t[NARROW]}))
    assert failing(bare)["model in SQL"] == "not the one that is in the model's folder now"
    edit(folder / "config.json", lambda c: c.update(model_type="mpnet"))
    assert failing(bare)["model in SQL"] == "not the one that is in the model's folder now"
    with connect(bare) as connection:
        before = connection.execute("select digest from encoder").fetchone()
        assert CliRunner().invoke(cli, ["--database", bare, "migrate"]).exit_code == 0
        assert connection.execute("select digest from encoder").fetchone() == before
    shutil.rmtree(folder)
    assert "model in SQL" not in failing(bare)


@pytest.mark.parametrize("cluster", [18], indirect=True)
def test_long_texts_take_no_longer_than_their_length(encoded: str, tokenizer: Tokenizer) -> None:
    """A megabyte of letters without a space, of words, of nothing to see: well within the time of a short statement."""
    texts = ("x" * 1_000_000, "snow " * 200_000, "\u200b" * 333_000 + "ski", "漢" * 300_000)
    with connect(encoded) as connection:
        for text in texts:
            connection.execute("set statement_timeout = '30 s'")
            assert tokens_in_sql(connection, [text]) == tokens_of(tokenizer, [text])


def test_the_token_table_reads_so_much_of_a_long_text(toy: str) -> None:
    with connect(toy) as connection:
        connection.execute(
            "insert into tokens (token, embedding) values ('snow', '[1,0,0]'), ('x', '[0,1,0]'), ('##x', '[0,0,1]')"
        )
        connection.execute("set statement_timeout = '20 s'")
        for text, tokens in (("x" * 1_000_000, 100), ("snow " * 200_000, 1_000)):
            assert connection.execute("select cardinality(tokenize(%s))", [text]).fetchone() == (tokens,)
            assert connection.execute("select query_source(%s)", [text]).fetchone() == ("approximate",)
            connection.execute("select embed(%s)", [text])


def test_a_statement_can_be_stopped(encoded: str) -> None:
    with connect(encoded) as connection:
        connection.execute("set statement_timeout = '100 ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("select encode_text(repeat('a long way to go ', 60))")


def test_every_session_may_encode_in_parallel(encoded: str) -> None:
    with connect(encoded) as connection:
        alone = connection.execute("select encode_text('ski')").fetchone()
        connection.execute("set debug_parallel_query = on")
        assert connection.execute("select encode_text('ski')").fetchone() == alone
