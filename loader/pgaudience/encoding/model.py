"""A sentence encoder as its folder describes it, and whether SQL can run it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from pgaudience.errors import PgaudienceError

LARGEST_WIDTH = 1_024
"""Of a token; wider models would take seconds for a short text."""

LARGEST_INTERMEDIATE = 4_000
"""Of the layer between: a unit's weights, in half precision, must fit a page."""

MOST_LAYERS = 24
MOST_TOKENS = 512
LARGEST_EPSILON = 1e-6
"""Of the layer norms, which SQL leaves out: above, it would show."""

_NEEDED = ("config.json", "modules.json", "model.safetensors")
_DECISIVE = (
    *_NEEDED,
    "tokenizer.json",
    "vocab.txt",
    "tokenizer_config.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "*/config.json",
)
_TOKEN_NAMES = ("unk_token", "sep_token", "cls_token", "pad_token", "mask_token")
_NORMALIZER_OPTIONS = {
    "do_lower_case": "lowercase",
    "strip_accents": "strip_accents",
    "tokenize_chinese_chars": "handle_chinese_chars",
}


class CannotRun(PgaudienceError):  # noqa: N818
    """SQL cannot run the model, and the message says why: the space does with a token table."""


@dataclass(frozen=True, slots=True)
class EncoderModel:
    """What SQL has to know of a model besides its weights."""

    folder: Path
    layers: int
    heads: int
    width: int
    intermediate: int
    max_tokens: int
    longest_word: int
    first_token: str
    last_token: str
    unknown_token: str
    special_tokens: list[str]
    vocabulary: dict[str, int]
    pooling: Literal["mean", "cls"]
    tokenizer: dict[str, Any]
    """tokenizer.json, its normalizer as tokenizer_config.json has it."""


def read_model(folder: Path) -> EncoderModel:
    """Read the model in a sentence-transformers folder.

    Raises CannotRun with the reason if it is none that SQL runs: a BERT with WordPiece, pooled by mean or CLS.
    """
    if missing := [name for name in _NEEDED if not (folder / name).is_file()]:
        raise CannotRun(f"its folder has no {missing[0]}")
    config = _object(folder / "config.json")
    width, intermediate = _check_architecture(config)
    tokenizer = _tokenizer(folder)
    _check_tokenizer(tokenizer)
    _adopt_options(tokenizer["normalizer"], folder / "tokenizer_config.json")
    words = tokenizer["model"]
    first, last = _ends(tokenizer)
    return EncoderModel(
        folder=folder,
        layers=config["num_hidden_layers"],
        heads=config["num_attention_heads"],
        width=width,
        intermediate=intermediate,
        max_tokens=_max_tokens(folder, config),
        longest_word=words.get("max_input_chars_per_word", 100),
        first_token=first,
        last_token=last,
        unknown_token=words["unk_token"],
        special_tokens=[token["content"] for token in tokenizer.get("added_tokens", [])],
        vocabulary=words["vocab"],
        pooling=_pooling(folder),
        tokenizer=tokenizer,
    )


def source_digest(folder: Path) -> str:
    """SHA-256 of the files in a model's folder that decide what vectors come out."""
    digest = hashlib.sha256()
    for path in (path for name in _DECISIVE for path in sorted(folder.glob(name))):
        with path.open("rb") as file:
            digest.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _object(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CannotRun(f"its {file.name} cannot be read: {error}") from error
    return cast(dict[str, Any], found) if isinstance(found, dict) else {}


def _check_architecture(config: dict[str, Any]) -> tuple[int, int]:
    """Return the width and that of the layer between."""
    if config.get("model_type") != "bert":
        raise CannotRun(f"its architecture is {config.get('model_type')}, not bert")
    if (positions := config.get("position_embedding_type", "absolute")) != "absolute":
        raise CannotRun(f"its positions are {positions}")
    if (activation := config.get("hidden_act")) != "gelu":
        raise CannotRun(f"its activation is {activation}, not gelu")
    if config.get("layer_norm_eps", 1e-12) > LARGEST_EPSILON:
        raise CannotRun(f"its layer_norm_eps is {config['layer_norm_eps']}, more than {LARGEST_EPSILON}")
    width, intermediate, layers = (
        int(config[name]) for name in ("hidden_size", "intermediate_size", "num_hidden_layers")
    )
    if width > LARGEST_WIDTH or intermediate > LARGEST_INTERMEDIATE or layers > MOST_LAYERS:
        raise CannotRun(
            f"it is too large: {layers} layers of {width} and {intermediate}, where"
            f" {MOST_LAYERS} of {LARGEST_WIDTH} and {LARGEST_INTERMEDIATE} are the most"
        )
    return width, intermediate


def _tokenizer(folder: Path) -> dict[str, Any]:
    """Read tokenizer.json; folders of the first years have but the vocabulary, of which transformers makes the same."""
    if (folder / "tokenizer.json").is_file():
        return _object(folder / "tokenizer.json")
    if not (folder / "vocab.txt").is_file():
        raise CannotRun("its folder has neither tokenizer.json nor vocab.txt")
    from tokenizers.implementations.bert_wordpiece import BertWordPieceTokenizer

    options = _object(folder / "tokenizer_config.json")
    named = {name: options[name] for name in _TOKEN_NAMES if isinstance(options.get(name), str)}
    return json.loads(BertWordPieceTokenizer(str(folder / "vocab.txt"), **named).to_str())


def _check_tokenizer(tokenizer: dict[str, Any]) -> None:
    kinds: dict[str, str | None] = {
        part: _part(tokenizer, part).get("type") for part in ("model", "normalizer", "pre_tokenizer")
    }
    wanted = {"model": "WordPiece", "normalizer": "BertNormalizer", "pre_tokenizer": "BertPreTokenizer"}
    if kinds["model"] is None and "max_input_chars_per_word" in _part(tokenizer, "model"):
        kinds["model"] = "WordPiece"  # files of the first versions do not name it
    for part, kind in kinds.items():
        if kind != wanted[part]:
            raise CannotRun(f"the {part} of its tokenizer is {kind}, not {wanted[part]}")
    if tokenizer["model"].get("continuing_subword_prefix", "##") != "##":
        raise CannotRun("its tokenizer marks pieces of words otherwise than by ##")
    if not tokenizer["normalizer"].get("clean_text", True):
        raise CannotRun("its tokenizer keeps control characters")
    for token in tokenizer.get("added_tokens", []):
        if token.get("normalized") or token.get("lstrip") or token.get("rstrip") or token.get("single_word"):
            raise CannotRun(f"its tokenizer treats the token {token['content']} in a way of its own")


def _part(tokenizer: dict[str, Any], name: str) -> dict[str, Any]:
    return cast(dict[str, Any], tokenizer.get(name) or {})


def _adopt_options(normalizer: dict[str, Any], file: Path) -> None:
    """Have tokenizer_config.json decide on case, accents and Chinese characters, as transformers does."""
    options = _object(file)
    for option, name in _NORMALIZER_OPTIONS.items():
        if option in options:
            normalizer[name] = options[option]


def _ends(tokenizer: dict[str, Any]) -> tuple[str, str]:
    """Return the tokens that stand before and after every text."""
    processor = _part(tokenizer, "post_processor")
    if processor.get("type") == "BertProcessing":
        return processor["cls"][0], processor["sep"][0]
    template: list[dict[str, dict[str, str]]] = processor.get("single", [])
    names = [part["SpecialToken"]["id"] if "SpecialToken" in part else "" for part in template]
    if processor.get("type") != "TemplateProcessing" or len(names) != 3 or names[1] or not (names[0] and names[2]):
        raise CannotRun("its tokenizer does not put one token before a text and one after it")
    return names[0], names[2]


def _max_tokens(folder: Path, config: dict[str, Any]) -> int:
    positions = int(config["max_position_embeddings"])
    options = _object(folder / "sentence_bert_config.json")
    if options.get("do_lower_case"):
        raise CannotRun("its sentence_bert_config.json lowers the case by itself")
    own = options.get("max_seq_length") or _object(folder / "tokenizer_config.json").get("model_max_length", positions)
    return min(int(own), positions, MOST_TOKENS)


def _pooling(folder: Path) -> Literal["mean", "cls"]:
    modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    kinds = [str(module["type"]).rpartition(".")[2] for module in modules]
    if kinds not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
        raise CannotRun(f"it is made of {', '.join(kinds)}, not of Transformer, Pooling, Normalize")
    config = _object(folder / modules[1]["path"] / "config.json")
    if not config.get("include_prompt", True):
        raise CannotRun("it leaves its prompt out of the mean")
    named = config.get("pooling_mode")
    if named is None:
        named = [key for key, on in config.items() if key.startswith("pooling_mode_") and on is True]
    modes = {str(name).removeprefix("pooling_mode_").removesuffix("_tokens").removesuffix("_token")
             for name in (cast(list[str], named) if isinstance(named, list) else [named])}  # fmt: skip
    if modes == {"mean"}:
        return "mean"
    if modes == {"cls"}:
        return "cls"
    raise CannotRun(f"it pools its tokens by {' and '.join(sorted(modes)) or 'no rule'}, not by mean or cls")
