"""A real Superset, named by PGAUDIENCE_TEST_SUPERSET=http://USER:PASSWORD@HOST:PORT; it must reach the test servers."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

VARIABLE = "PGAUDIENCE_TEST_SUPERSET"


class RefusedError(Exception):
    """What Superset answers instead of 200."""


class Superset:
    """Its API, as a user who may do everything."""

    def __init__(self) -> None:
        given = os.environ.get(VARIABLE)
        if not given:
            pytest.skip(f"needs a real Superset: {VARIABLE}=http://admin:password@localhost:8088")
        parts = urlsplit(given)
        self.user, self.password = parts.username or "admin", parts.password or "admin"
        self.url = f"{parts.scheme}://{parts.hostname}:{parts.port or 80}"
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self._headers: dict[str, str] = {}
        login = {"username": self.user, "password": self.password, "provider": "db"}
        token = self.ask("POST", "/api/v1/security/login", login)["access_token"]
        self._headers["Authorization"] = f"Bearer {token}"
        self._headers["X-CSRFToken"] = self.ask("GET", "/api/v1/security/csrf_token/")["result"]
        self._headers["Referer"] = self.url

    def ask(self, method: str, path: str, body: object = None) -> Any:
        content = None if body is None else json.dumps(body).encode()
        return self._send(method, path, content, {} if body is None else {"Content-Type": "application/json"})

    def all_of(self, kind: str) -> list[dict[str, Any]]:
        return self.ask("GET", f"/api/v1/{kind}/?q=(page_size:1000)")["result"]

    def upload(self, path: str, name: str, content: bytes, fields: Mapping[str, str]) -> Any:
        edge = uuid4().hex
        parts = [
            f'--{edge}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
            for field, value in fields.items()
        ]
        head = f'--{edge}\r\nContent-Disposition: form-data; name="{name}"; filename="dashboards.zip"\r\n\r\n'
        body = b"".join([*parts, head.encode(), content, f"\r\n--{edge}--\r\n".encode()])
        return self._send("POST", path, body, {"Content-Type": f"multipart/form-data; boundary={edge}"})

    def _send(self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]) -> Any:
        request = urllib.request.Request(
            self.url + path, content, {**self._headers, **headers, "Accept": "application/json"}, method=method
        )
        try:
            with self._opener.open(request, timeout=120) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise RefusedError(f"{error.code} {path}: {error.read().decode()}") from error
