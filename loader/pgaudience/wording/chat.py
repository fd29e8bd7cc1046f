"""Questions to a chat model behind OpenAI's API, answered as JSON of a given schema."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pgaudience.embedding.provider import ProviderError, TextRefused, estimate_tokens
from pgaudience.embedding.service import HINTS, Service
from pgaudience.errors import PgaudienceError

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types.chat import ChatCompletion

SETTINGS = ("model", "response_format", "seed", "max_completion_tokens")
GO_ON = "the same command goes on where this run stopped"
ENOUGH_TOKENS = 4000
"""What an answer may take, the thinking of models that think included."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question: what is asked, the data it is asked of, as JSON, and the form of the answer."""

    instructions: str
    data: str
    form: str
    schema: Mapping[str, Any]
    seed: int

    @property
    def hash(self) -> UUID:
        """What the question is found by; the same question is never paid for twice."""
        whole = json.dumps([self.instructions, self.data, self.form, self.schema, self.seed], sort_keys=True)
        return UUID(bytes=hashlib.blake2b(whole.encode(), digest_size=16).digest())

    @property
    def tokens(self) -> int:
        """About how many tokens the question has."""
        return estimate_tokens([self.instructions, self.data, json.dumps(self.schema)])


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model said, or why it did not, and the tokens that were paid for."""

    text: str
    fault: str | None
    prompt_tokens: int
    completion_tokens: int


class ChatModel:
    """A chat model at OpenAI, or under `base_url` (else OPENAI_BASE_URL) at anything compatible.

    The key comes from OPENAI_API_KEY, as for embeddings; so do the repetitions of what fails.

    Raises PgaudienceError for a name of another form, and where the extra is not installed.
    """

    def __init__(self, name: str, base_url: str | None) -> None:
        prefix, _, model = name.partition(":")
        if prefix != "openai" or not model:
            raise PgaudienceError(f"{name!r} names no chat model", "the accepted form is openai:<name>")
        if importlib.util.find_spec("openai") is None:
            raise PgaudienceError("the Python package openai is not installed", 'pip install "pgaudience[openai]"')
        self.name = name
        self._model = model
        self._service = Service.at(name, base_url, GO_ON)

    def ask(self, prompt: Prompt) -> Reply:
        """Ask once, repeated by the client while the service is busy.

        Raises ProviderError when the service fails for good.
        """
        import openai

        try:
            answer = self._client.chat.completions.create(
                model=self._model,
                messages=[
                    {"role": "system", "content": prompt.instructions},
                    {"role": "user", "content": prompt.data},
                ],
                response_format={
                    "type": "json_schema",
                    "json_schema": {"name": prompt.form, "strict": True, "schema": dict(prompt.schema)},
                },
                seed=prompt.seed,
                max_completion_tokens=ENOUGH_TOKENS,
            )
        except openai.APIError as error:
            failure = self._service.failure(error, SETTINGS)
            if isinstance(failure, TextRefused):
                return Reply("", f"refused: {failure.message}", 0, 0)
            raise failure from error
        try:
            return _reply(prompt, answer)
        except (AttributeError, IndexError, TypeError) as error:
            raise ProviderError(f"{self.name}: the service did not answer as a chat model", HINTS[404]) from error

    @cached_property
    def _client(self) -> OpenAI:
        return self._service.client()


def _reply(prompt: Prompt, answer: ChatCompletion) -> Reply:
    choice = answer.choices[0]
    text = choice.message.content or ""
    fault = None
    if choice.message.refusal or choice.finish_reason == "content_filter":
        fault = f"refused: {choice.message.refusal or 'filtered by the service'}"
    elif choice.finish_reason == "length":
        fault = f"cut off after {ENOUGH_TOKENS:,} tokens"
    if answer.usage is None:
        return Reply(text, fault, prompt.tokens, estimate_tokens([text]))
    return Reply(text, fault, answer.usage.prompt_tokens, answer.usage.completion_tokens)
