"""What an embedding provider is, and how it says that it cannot embed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pgaudience.errors import PgaudienceError

BYTES_PER_TOKEN = 4
"""What a token of English takes in UTF-8, as OpenAI's own rule of thumb has it; other scripts take fewer bytes."""


class Provider(Protocol):
    """One embedding model, wherever it runs."""

    @property
    def name(self) -> str:
        """The model as a space stores it, such as `openai:text-embedding-3-small`."""
        ...

    @property
    def dimensions(self) -> int:
        """The length of a vector; DimensionMismatch if the model cannot give the dimensions it was asked for."""
        ...

    @property
    def batch_size(self) -> int:
        """How many texts a caller had best embed, and commit, at once."""
        ...

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed documents: float32, shape (len(texts), dimensions), in the order of `texts`, as the model gives them.

        Raises TextRefused when a text is at fault, ProviderError when the service or the model is.
        """
        ...

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed what people search for, with the model's query prompt if it has one; otherwise as `embed`."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> int:
        """Count the tokens of the texts without embedding them: exact for a local model, else an estimate."""
        ...


@runtime_checkable
class SplitsRequests(Protocol):
    """A provider whose service takes only so much in a request."""

    def split(self, texts: Sequence[str]) -> list[list[str]]:
        """Cut the texts, in their order, into the requests they are sent in."""
        ...


class LocalProvider(Provider, Protocol):
    """A provider whose model is in a folder of this machine."""

    @property
    def model_folder(self) -> Path | None:
        """The folder; None while it is nowhere but on a hub."""
        ...

    @property
    def prompts(self) -> dict[str, str]:
        """What stands before a `query` and before a `document`."""
        ...


def model_folder(provider: Provider) -> Path | None:
    """Return the folder of a local provider's model, without a look at what only loading the model tells."""
    return getattr(provider, "model_folder", None)


def in_bfloat16(provider: Provider) -> bool:
    """Whether a provider has found that bfloat16 pays."""
    return getattr(provider, "precision", None) == "bfloat16"


def embeds_alike(provider: Provider) -> bool:
    """Whether a text has the same vector as a query and as a document: no prompt stands before either, or the same."""
    prompts: dict[str, str] = getattr(provider, "prompts", {})
    return len(set(prompts.values())) <= 1


class ProviderError(PgaudienceError):
    """The service or the model cannot embed anything now: the run stops, and can go on later."""


class TextRefused(PgaudienceError):  # noqa: N818
    """A text of the batch, not the service, is at fault: the others can still be embedded."""


class DimensionMismatch(PgaudienceError):  # noqa: N818
    """A model does not give vectors of the dimensions asked for."""

    def __init__(self, model: str, *, asked: int, given: int) -> None:
        super().__init__(
            f"{model} gives vectors of {given} dimensions, not of {asked}",
            hint=f"migrate a new space that fits: pgaudience --schema NAME migrate --model {model} "
            f"--dimensions {given}",
        )


def estimate_tokens(texts: Sequence[str]) -> int:
    """Estimate tokens from UTF-8 bytes, BYTES_PER_TOKEN each and at least one a text, where no tokenizer is at hand."""
    return sum(max(1, round(utf8_size(text) / BYTES_PER_TOKEN)) for text in texts)


def utf8_size(text: str) -> int:
    """Count the bytes of a text in UTF-8, even of one with lone surrogates, which has no valid form."""
    return len(text.encode("utf-8", "surrogatepass"))
