"""Other models of the same kind, with random weights: made by transformers, run by sentence-transformers and by SQL."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pgvector.psycopg import register_vector

from conftest import connect, packaged_folder
from pgaudience.database import open_space
from pgaudience.embedding.registry import measure
from pgaudience.embedding.sentence_transformers import SentenceTransformersProvider
from pgaudience.encoding import ensure_encoder, read_model, runnable_model
from pgaudience.installing import migrate
from pgaudience.pipeline import space_provider

pytestmark = pytest.mark.slow

TEXTS = (
    "Ski enthusiasts in Zermatt",
    "CRÈME brûlée, ÅNGSTRÖM and naïve Straße",
    "東京の寿司 [MASK] snowboarding\u200b 🎿",
    "and then we went to see another mountain " * 20,
)


def vocabulary(*, cased: bool) -> list[str]:
    words = json.loads((packaged_folder() / "tokenizer.json").read_text())["model"]["vocab"]
    special = [word for word in words if word.startswith("[") and word.isupper() and "]" in word]
    plain = [word for word in words if word not in special][:4_000]
    pieces = [word for word in words if word.startswith("##") and len(word) <= 5]
    capitals = [word.upper() for word in plain if word.isalpha() and len(word) == 1] if cased else []
    accents = ["È", "è", "Å", "û", "é", "Ö", "ï", "##è", "##È", "##û", "##é", "##ï", "##Ö"] if cased else []
    return list(dict.fromkeys([*special, *plain, *pieces, *capitals, *accents]))


def build(
    folder: Path, *, layers: int, pooling: str, cased: bool = False, prompts: dict[str, str] | None = None,
    longest: int = 64, vocabulary_alone: bool = False, **config: Any,
) -> Path:  # fmt: skip
    """Save a model with random weights, the way its makers save theirs."""
    import torch
    from sentence_transformers import SentenceTransformer, models
    from transformers import BertConfig, BertModel, BertTokenizerFast

    words = vocabulary(cased=cased)
    (folder / "bert").mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    tokenizer = BertTokenizerFast(str(folder / "vocab.txt"), do_lower_case=not cased)
    torch.manual_seed(7)
    shape = {"hidden_size": 96, "intermediate_size": 384, "num_attention_heads": 6, "max_position_embeddings": 128}
    bert = BertModel(
        BertConfig(vocab_size=len(words), num_hidden_layers=layers, initializer_range=0.2, **shape | config)
    )
    bert.save_pretrained(folder / "bert")
    tokenizer.save_pretrained(folder / "bert")
    transformer = models.Transformer(str(folder / "bert"), max_seq_length=longest)
    pooled = models.Pooling(transformer.get_word_embedding_dimension(), pooling_mode=pooling)
    parts = [transformer, pooled, models.Normalize()]
    SentenceTransformer(modules=parts, prompts=prompts or {}, device="cpu").save(str(folder / "model"))
    if vocabulary_alone:
        (folder / "model" / "tokenizer.json").unlink()
        shutil.copy(folder / "vocab.txt", folder / "model")
    return folder / "model"


FAMILIES: dict[str, dict[str, Any]] = {
    "MiniLM-L12: twelve layers": {"layers": 12, "pooling": "mean"},
    "bge: the first token": {"layers": 4, "pooling": "cls", "prompts": {"query": "Represent this sentence: "}},
    "e5: prompts": {"layers": 2, "pooling": "mean", "prompts": {"query": "query: ", "passage": "passage: "}},
    "cased": {"layers": 2, "pooling": "mean", "cased": True},
    "the vocabulary alone": {"layers": 1, "pooling": "mean", "vocabulary_alone": True},
    "the vocabulary alone, cased": {"layers": 1, "pooling": "mean", "vocabulary_alone": True, "cased": True},
    "wide": {"layers": 1, "pooling": "mean", "hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12},
}


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_a_family_of_models_runs_in_sql(bare: str, tmp_path: Path, family: dict[str, Any]) -> None:
    folder = build(tmp_path, **family)
    model = f"sentence-transformers:{folder}"
    migrate(bare, "audience", model=model, weighting=None, measure=measure)
    provider = SentenceTransformersProvider(str(folder))
    with connect(bare) as connection:
        space = open_space(connection, "audience")
        assert ensure_encoder(connection, space, space_provider(space, None)) is None
    with connect(bare, autocommit=True) as connection:
        register_vector(connection)
        texts = [list(TEXTS)]
        queries = connection.execute("select embed(t) from unnest(%s::text[]) t", texts).fetchall()
        connection.execute("insert into entries (entry) select normalize_text(t) from unnest(%s::text[]) t", texts)
        connection.execute("call embed_entries()")
        entries = connection.execute(
            "select entry, embedding from entries join entry_vectors using (entry_key)"
        ).fetchall()
    exact = provider.embed_queries([" ".join(text.split()) for text in TEXTS])
    assert min(cosines([row[0] for row in queries], exact)) >= 0.9999
    assert min(cosines([row[1] for row in entries], provider.embed([row[0] for row in entries]))) >= 0.9999


def cosines(found: list[Any], exact: np.ndarray) -> np.ndarray:
    vectors = np.array([vector.to_numpy() for vector in found])
    return (vectors * exact).sum(1) / np.linalg.norm(vectors, axis=1) / np.linalg.norm(exact, axis=1)


def test_prompts_of_queries_and_passages_differ(tmp_path: Path) -> None:
    provider = SentenceTransformersProvider(str(build(tmp_path, **FAMILIES["e5: prompts"])))
    assert provider.prompts == {"query": "query: ", "document": "passage: "}
    assert not np.allclose(provider.embed(["ski"]), provider.embed_queries(["ski"]))


def test_shape_is_read_from_the_folder(tmp_path: Path) -> None:
    model = read_model(build(tmp_path, **FAMILIES["bge: the first token"]))
    assert (model.layers, model.heads, model.width, model.max_tokens, model.pooling) == (4, 6, 96, 64, "cls")


def test_a_model_in_the_cache_of_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was downloaded by its name is as good as a folder."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    provider = SentenceTransformersProvider("somebody/minilm")
    assert provider.model_folder is None
    cached = tmp_path / "models--somebody--minilm"
    snapshot = cached / "snapshots" / "0123456789abcdef"
    shutil.copytree(packaged_folder(), snapshot)
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text(snapshot.name)
    provider = SentenceTransformersProvider("somebody/minilm")
    assert (provider.model_folder, provider.dimensions) == (snapshot, 384)
    assert runnable_model(provider)[1].layers == 6
