"""Models behind OpenAI's embeddings API, at OpenAI or at any service that speaks it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pgaudience.embedding.provider import DimensionMismatch, ProviderError, TextRefused, estimate_tokens, utf8_size
from pgaudience.embedding.service import HINTS, Service

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types import CreateEmbeddingResponse

KNOWN_DIMENSIONS = {
    "text-embedding-3-small": 1536,
    "text-embedding-3-large": 3072,
    "text-embedding-ada-002": 1536,
}
FIXED = ("text-embedding-ada-002",)
"""Models that cannot shorten their vectors."""

MAX_INPUTS = 2048
MAX_TOKENS = 300_000
"""OpenAI's limits for one request; a text may have 8,192 tokens, and the service refuses one that has more."""

SETTINGS = ("model", "dimensions", "encoding_format")
GO_ON = "`pgaudience embed` goes on where this run stopped"


class OpenAIProvider:
    """A model served by OpenAI, or under `base_url` (else OPENAI_BASE_URL) by anything compatible.

    The key comes from OPENAI_API_KEY; other services are called without one if there is none. Queries and documents
    are embedded alike. No text is ever cut: one that is too long is refused by the service.
    """

    batch_size = MAX_INPUTS

    def __init__(self, model: str, *, dimensions: int | None = None, base_url: str | None = None) -> None:
        self.name = f"openai:{model}"
        self._model_name = model
        self._asked = dimensions
        own = KNOWN_DIMENSIONS.get(model)
        self._sent = None if own is None or dimensions == own else dimensions
        self._is_settled = dimensions is None or own is not None
        self._service = Service.at(self.name, base_url, GO_ON)

    @property
    def dimensions(self) -> int:
        """The length of a vector; a model that is not OpenAI's own is asked, by embedding one word.

        Raises DimensionMismatch when the model is known not to give the dimensions asked for.
        """
        if self._asked is None:
            return self._own_dimensions
        own = KNOWN_DIMENSIONS.get(self._model_name)
        if own is not None and (self._asked > own or (self._asked < own and self._model_name in FIXED)):
            raise DimensionMismatch(self.name, asked=self._asked, given=own)
        return self._asked

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts in as many requests as it takes: float32, shape (len(texts), dimensions).

        Raises TextRefused when the service refuses a text, ProviderError when it fails for good.
        """
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        vectors = [] if self._is_settled else [self._settle(texts[:1])]
        pieces = self.split(texts[len(vectors) :])
        return np.concatenate([*vectors, *(self._request(piece, dimensions=self._sent) for piece in pieces)])

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed queries, which these models do as documents."""
        return self.embed(texts)

    def count_tokens(self, texts: Sequence[str]) -> int:
        """Estimate the tokens that will be paid for: OpenAI's tokenizer would have to be downloaded."""
        return estimate_tokens(texts)

    def split(self, texts: Sequence[str]) -> list[list[str]]:
        """Cut the texts into requests within OpenAI's limits; as a token has a byte at least, bytes bound the tokens.

        A text over the limit is a request of its own, for the service to refuse.
        """
        pieces: list[list[str]] = []
        budget = 0
        for text in texts:
            size = utf8_size(text)
            if not pieces or size > budget or len(pieces[-1]) == MAX_INPUTS:
                pieces.append([])
                budget = MAX_TOKENS
            pieces[-1].append(text)
            budget -= size
        return pieces

    @cached_property
    def _own_dimensions(self) -> int:
        known = KNOWN_DIMENSIONS.get(self._model_name)
        if known is not None:
            return known
        try:
            return self._request(["length"], dimensions=None).shape[1]
        except TextRefused as error:
            raise ProviderError(f"{self.name}: {error.message}", hint=HINTS[404]) from error

    def _settle(self, text: Sequence[str]) -> NDArray[np.float32]:
        """Embed one text, and see by its vector whether requests carry the `dimensions` that are asked for.

        They do only where these are not the model's own, as many models refuse the very option.
        """
        vector = self._request(text, dimensions=None)
        if vector.shape[1] != self._asked:
            self._sent = self._asked
            vector = self._request(text, dimensions=self._sent)
        self._is_settled = True
        return vector

    @cached_property
    def _client(self) -> OpenAI:
        return self._service.client()

    def _request(self, texts: Sequence[str], *, dimensions: int | None) -> NDArray[np.float32]:
        """Send one request, repeated by the client as MAX_RETRIES says: float32, shape (len(texts), d)."""
        import openai

        try:
            answer = self._client.embeddings.create(
                model=self._model_name,
                input=list(texts),
                encoding_format="base64",
                extra_body=None if dimensions is None else {"dimensions": dimensions},
            )
        except openai.APIError as error:
            raise self._service.failure(error, SETTINGS) from error
        try:
            return _matrix(answer, len(texts))
        except (AttributeError, TypeError, ValueError) as error:
            raise ProviderError(
                f"{self.name}: the service did not answer with embeddings: {error}", hint=HINTS[404]
            ) from error


def _matrix(answer: CreateEmbeddingResponse, count: int) -> NDArray[np.float32]:
    """Stack the vectors in the order of the texts, which is that of `index`; base64 or floats, as the service likes."""
    rows = sorted(answer.data, key=lambda row: row.index)
    if [row.index for row in rows] != list(range(count)):
        raise ValueError(f"{len(rows)} vectors for {count} texts, or their indexes are wrong")
    return np.stack([_decoded(row.embedding) for row in rows])


def _decoded(embedding: list[float] | str) -> NDArray[np.float32]:
    if isinstance(embedding, str):
        return np.frombuffer(base64.b64decode(embedding), dtype="<f4").astype(np.float32, copy=False)
    return np.array(embedding, dtype=np.float32)
