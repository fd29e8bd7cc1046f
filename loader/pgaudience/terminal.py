"""Texts of strangers, made fit to be shown on a terminal."""

from __future__ import annotations

import re

# Control characters, marks that turn the direction of writing, and surrogates, which stand for broken bytes.
UNFIT = re.compile("[\0-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
_UNFIT_IN_LINES = re.compile(UNFIT.pattern.replace("\0-\x1f", "\0-\x08\x0b-\x1f"))


def escaped(text: str) -> str:
    r"""Write what a terminal would obey or hide as an escape, such as \x1b: a line that is shown stays that line."""
    return UNFIT.sub(_escape, text)


def escaped_lines(text: str) -> str:
    """Write a text of several lines so that only its line ends and tabs do anything."""
    return _UNFIT_IN_LINES.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape", "surrogatepass").decode("ascii")
