"""What a model's tokenizer makes of every character, asked of the tokenizers package itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from pgaudience.encoding.model import CannotRun

LAST_CODE = 0x10FFFF
SURROGATES = range(0xD800, 0xE000)
AT_ONCE = 20_000

FENCE = "\u16a0"
"""A letter that no tokenizer changes: it keeps the answers for the characters around it apart."""


@dataclass(frozen=True, slots=True)
class Characters:
    """A range of code points and what each becomes: `becomes`, or itself where that is None; `is_word`: on its own."""

    first: int
    last: int
    becomes: str | None
    is_word: bool


def changed_characters(tokenizer: dict[str, Any]) -> list[Characters]:
    """Return the characters that do not simply stay in their word, as ranges in ascending order.

    A text is normalized and parted character by character: BERT's normalizer strips what canonical decomposition might
    have to put in another order.

    Raises CannotRun if the tokenizer does something else to them.
    """
    return list(_merged(_each(tokenizer)))


def _each(tokenizer: dict[str, Any]) -> Iterator[Characters]:
    normalizer, pre_tokenizer = _parts(tokenizer)
    for codes in _chunks():
        text = normalizer.normalize_str("".join(FENCE + chr(code) for code in codes) + FENCE)
        answers = " ".join(word for word, _ in pre_tokenizer.pre_tokenize_str(text)).split(FENCE)[1:-1]
        if len(answers) != len(codes):
            raise CannotRun("its tokenizer changes characters by what stands around them")
        for code, answer in zip(codes, answers, strict=True):
            if answer != chr(code):
                yield _described(code, answer)


def _parts(tokenizer: dict[str, Any]) -> tuple[Any, Any]:
    """Return the two parts of the tokenizer that see characters, without its vocabulary, which takes its time."""
    from tokenizers import Tokenizer

    words: dict[str, Any] = {**tokenizer["model"], "vocab": {tokenizer["model"]["unk_token"]: 0}}
    bare: dict[str, Any] = {**tokenizer, "model": words, "added_tokens": [], "post_processor": None}
    built = Tokenizer.from_str(json.dumps(bare))
    return built.normalizer, built.pre_tokenizer


def _chunks() -> Iterator[list[int]]:
    codes = [code for code in range(1, LAST_CODE + 1) if code not in SURROGATES and chr(code) != FENCE]
    for start in range(0, len(codes), AT_ONCE):
        yield codes[start : start + AT_ONCE]


def _described(code: int, answer: str) -> Characters:
    inner = answer.strip(" ")
    is_word = answer == f" {inner} " and inner != ""
    becomes = inner if is_word else answer
    return Characters(code, code, None if becomes == chr(code) else becomes, is_word)


def _merged(each: Iterable[Characters]) -> Iterator[Characters]:
    """Join neighbours of which the same becomes."""
    held: Characters | None = None
    for one in each:
        follows = held is not None and held.last + 1 == one.first
        if held and follows and (held.becomes, held.is_word) == (one.becomes, one.is_word):
            held = replace(held, last=one.last)
            continue
        if held:
            yield held
        held = one
    if held:
        yield held
