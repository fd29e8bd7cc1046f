"""Embed a batch so that a bad text fails alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pgaudience.embedding.provider import DimensionMismatch, Provider, ProviderError, SplitsRequests, TextRefused
from pgaudience.errors import PgaudienceError

CONTROL = "shop"
"""A text that no model refuses: where it fails too, the texts are not what is at fault."""


@dataclass(frozen=True, slots=True)
class Embeddings:
    """The outcome of a batch: each position of its texts is either in `kept` or in `failures`."""

    vectors: NDArray[np.float32]
    """Shape (len(kept), dimensions), each row of unit length."""
    kept: list[int]
    """The positions, ascending, of the texts that the rows of `vectors` belong to."""
    failures: dict[int, str]
    """Why there is no vector, by position."""


def embed_each(provider: Provider, texts: Sequence[str], *, queries: bool = False) -> Embeddings:
    """Embed the texts, as documents or as queries, into unit vectors; a text that cannot be embedded fails alone.

    A refused batch is halved until the bad texts stand alone; what was embedded is never sent a second time. A vector
    that is zero or not finite fails its text too.

    Raises ProviderError when the service or the model is at fault, also when it turns down everything it is given,
    and DimensionMismatch when the vectors are not of `provider.dimensions`.
    """
    batch = _Batch(provider, texts, queries=queries)
    first = 0
    for request in provider.split(texts) if isinstance(provider, SplitsRequests) else [texts]:
        batch.embed(first, first + len(request))
        first += len(request)
    return batch.outcome()


class _Batch:
    """The vectors and failures of a batch, as they come in."""

    def __init__(self, provider: Provider, texts: Sequence[str], *, queries: bool) -> None:
        self._provider = provider
        self._call = provider.embed_queries if queries else provider.embed
        self._texts = texts
        self._vectors = np.zeros((len(texts), provider.dimensions), dtype=np.float32)
        self._failures: dict[int, str] = {}
        self._trusted = False

    def outcome(self) -> Embeddings:
        kept = [position for position in range(len(self._texts)) if position not in self._failures]
        vectors = self._vectors[kept] if self._failures else self._vectors
        return Embeddings(vectors=vectors, kept=kept, failures=self._failures)

    def embed(self, first: int, end: int) -> None:
        """Embed the texts from `first` up to `end`, halving them for as long as they are refused."""
        if first == end:
            return
        try:
            vectors, usable = self._unit_vectors(self._texts[first:end])
        except TextRefused as error:
            self._halve(first, end, error.message)
        except PgaudienceError:
            raise
        except Exception as error:  # whatever a tokenizer or a model raises at a text it cannot take
            self._halve(first, end, _described(error))
        else:
            self._vectors[first:end] = vectors
            self._trusted = self._trusted or bool(usable.any())
            for position in first + np.flatnonzero(~usable):
                self._fail(int(position), "the model gave a vector that is zero or not finite")

    def _halve(self, first: int, end: int, reason: str) -> None:
        if end - first == 1:
            self._fail(first, reason)
            return
        middle = (first + end) // 2
        self.embed(first, middle)
        self.embed(middle, end)

    def _fail(self, position: int, reason: str) -> None:
        if not self._trusted:
            self._embed_control(reason)
            self._trusted = True
        self._failures[position] = reason

    def _embed_control(self, reason: str) -> None:
        """Raise ProviderError unless the model can embed at all, so that no text is blamed for a broken model."""
        try:
            _, usable = self._unit_vectors([CONTROL])
        except PgaudienceError as error:
            if isinstance(error, TextRefused):
                raise _embeds_nothing(self._provider, error.message) from error
            raise
        except Exception as error:
            raise _embeds_nothing(self._provider, _described(error)) from error
        if not usable.all():
            raise _embeds_nothing(self._provider, reason)

    def _unit_vectors(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Embed texts: unit vectors, shape (n, d), and which of them are usable, shape (n,)."""
        vectors = self._call(texts)
        rows, dimensions = vectors.shape
        if dimensions != self._provider.dimensions:
            raise DimensionMismatch(self._provider.name, asked=self._provider.dimensions, given=dimensions)
        if rows != len(texts):
            raise ProviderError(f"{self._provider.name} gave {rows} vectors for {len(texts)} texts")
        norms = np.linalg.norm(vectors.astype(np.float64), axis=1)
        usable = np.isfinite(norms) & (norms > 0)
        divisors = np.where(usable, norms, 1.0)[:, np.newaxis]
        return (vectors / divisors).astype(np.float32), usable


def _embeds_nothing(provider: Provider, reason: str) -> ProviderError:
    return ProviderError(
        f"{provider.name} embeds nothing, not even {CONTROL!r}: {reason}",
        hint="the model or its settings are at fault, not the texts: try another model, or install it anew",
    )


def _described(error: Exception) -> str:
    first_line, _, _ = str(error).strip().partition("\n")
    return f"{type(error).__name__}: {first_line}"
