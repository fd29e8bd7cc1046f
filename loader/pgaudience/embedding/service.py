"""A service that speaks OpenAI's API: reaching it, and telling what it refuses from what it cannot do now."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from pgaudience.embedding.provider import ProviderError, TextRefused
from pgaudience.errors import PgaudienceError

if TYPE_CHECKING:
    from openai import APIError, OpenAI

MAX_RETRIES = 8
"""How often the client repeats a request after 408, 409, 429, 5xx and failed connections.

It waits as long as Retry-After says (up to a minute; two in newer clients), else 0.5 s, doubling up to 8 s: about 40 s
in all.
"""

REFUSALS = (400, 413, 422)
HINTS = {
    401: "set OPENAI_API_KEY to a key that this service accepts",
    403: "the key in OPENAI_API_KEY has no right to this model",
    404: "check the model's name and the base URL, which mostly ends in /v1",
}


@dataclass(frozen=True, slots=True)
class Service:
    """A model at OpenAI, or under `base_url` at anything compatible.

    The key comes from OPENAI_API_KEY; other services are called without one if there is none. `go_on` says what to do
    when the service is back.
    """

    name: str
    base_url: str | None
    go_on: str

    @staticmethod
    def at(name: str, base_url: str | None, go_on: str) -> Service:
        """Return the service of a model, under the base URL that is given, else that of OPENAI_BASE_URL."""
        return Service(name, base_url or os.environ.get("OPENAI_BASE_URL") or None, go_on)

    def client(self) -> OpenAI:
        """Return a client of the service, which repeats requests as MAX_RETRIES says.

        Raises ProviderError when OpenAI itself is meant and there is no key.
        """
        import openai

        key = os.environ.get("OPENAI_API_KEY") or ("none" if self.base_url else None)
        if key is None:
            raise ProviderError("OPENAI_API_KEY is not set", hint="export OPENAI_API_KEY=sk-…, or give a base URL")
        http = openai.DefaultHttpxClient(event_hooks={"response": [_no_retry_without_quota]})
        return openai.OpenAI(api_key=key, base_url=self.base_url, max_retries=MAX_RETRIES, http_client=http)

    def failure(self, error: APIError, settings: Collection[str]) -> PgaudienceError:
        """Tell a text that is at fault, a TextRefused, from a service or one of its `settings`, a ProviderError."""
        status: int | None = getattr(error, "status_code", None)
        reason = _reason(error)
        if status in REFUSALS and error.param not in settings and error.code != "model_not_found":
            return TextRefused(reason)
        return ProviderError(f"{self.name}: {reason}", hint=self._hint(status, error.code))

    def _hint(self, status: int | None, code: str | None) -> str:
        if code == "insufficient_quota":
            return f"the account has no quota left, see its billing page; {self.go_on}"
        if status is None:
            return f"is {self.base_url or 'api.openai.com'} up, and reachable from here? {self.go_on}"
        if status == 429:
            return f"too many requests for this account: try later or with fewer workers; {self.go_on}"
        return HINTS.get(status, self.go_on)


def _reason(error: APIError) -> str:
    try:
        return str(cast(Any, error.body)["message"])
    except (TypeError, KeyError):  # a body that is text, of another shape, or missing
        return error.message


def _no_retry_without_quota(response: Any) -> None:
    """Tell the client, in the header it obeys, not to repeat a request that the account has no quota for."""
    if response.status_code == 429 and b"insufficient_quota" in response.read():
        response.headers["x-should-retry"] = "false"
