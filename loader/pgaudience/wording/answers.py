"""Answers of a chat model, which are as little to be trusted as the texts it was asked about."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, cast

from pgaudience.terminal import UNFIT

MARKUP = re.compile(r"[<>`]|://|\bwww\.|\]\(", re.IGNORECASE)
"""What a page would turn into something else than text."""


class BrokenAnswer(ValueError):  # noqa: N818
    """An answer that is not of the form asked for."""


def parsed(text: str) -> dict[str, Any]:
    """Read an answer as a JSON object. Raises BrokenAnswer."""
    try:
        found = json.loads(text)
    except ValueError as error:
        raise BrokenAnswer("no JSON") from error
    if not isinstance(found, dict):
        raise BrokenAnswer("no JSON object")
    return cast("dict[str, Any]", found)


def line(answer: Mapping[str, Any], key: str, longest: int) -> str:
    """Return a text of the answer, on one line, cut between words where it is too long.

    Raises BrokenAnswer when it is missing, blank, or has markup or a link.
    """
    return plain(answer.get(key), key, longest)


def lines(answer: Mapping[str, Any], key: str, *, least: int, most: int, longest: int) -> list[str]:
    """Return the first texts of a list, each once, as `line` does.

    Raises BrokenAnswer also when there are fewer than `least`.
    """
    found = answer.get(key)
    if not isinstance(found, list):
        raise BrokenAnswer(f"{key} is no list")
    texts = {text.casefold(): text for text in (plain(each, key, longest) for each in cast("list[object]", found))}
    if len(texts) < least:
        raise BrokenAnswer(f"{key} has {len(texts)} texts, not {least}")
    return list(texts.values())[:most]


def plain(value: object, key: str, longest: int) -> str:
    """Return a value that is a text as one line without anything that is not seen."""
    if not isinstance(value, str):
        raise BrokenAnswer(f"{key} is no text")
    text = " ".join(UNFIT.sub(" ", unicodedata.normalize("NFC", value)).split())
    if not text:
        raise BrokenAnswer(f"{key} is blank")
    if MARKUP.search(text):
        raise BrokenAnswer(f"{key} has markup or a link")
    return cut(text, longest)


def cut(text: str, longest: int) -> str:
    """Cut a text between words, with an ellipsis, so that it has at most so many characters."""
    if len(text) <= longest:
        return text
    kept = text[: longest - 1]
    if text[longest - 1] != " " and " " in kept:
        kept = kept.rpartition(" ")[0]
    return kept.rstrip(" ,;:.-") + "…"
