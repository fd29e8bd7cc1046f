"""Figures in words: what a manager reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime

from pgaudience.reporting.figures import Candidate, Run

_SEPARATION = (
    (0.5, "The segments are groups of their own: hardly anybody lies between two of them."),
    (0.25, "The segments are groups with blurred borders: most users belong clearly, some lie between two."),
    (0.1, "The segments overlap: their cores differ, and many users lie between two of them."),
)
_CONTINUUM = (
    "These segments are cuts of a continuum, as age groups are: there are no gaps between them, and people near a"
    " border could as well be on its other side. Use them to speak to people differently; do not take them for kinds of"
    " people."
)
_STABILITY = (
    (0.9, "Another sample of {users} users would give nearly the same segments"),
    (0.7, "Another sample of {users} users would give mostly the same segments"),
    (0.45, "Another sample of {users} users would draw some of the borders elsewhere"),
    (0.0, "Another sample of {users} users would give quite other segments"),
)
_FITS = ((0.5, "clear-cut"), (0.25, "distinct"), (0.1, "overlapping"), (0.0, "a cut of a continuum"))
_STRENGTHS = ((0.5, "strong"), (0.3, "clear"), (0.1, "some"), (0.03, "slight"))

_UNCLOSED = re.compile(r"(?<=.)\s*\([^)]*$")

SHORT = 30


def separation(silhouette: float | None) -> str | None:
    """Say how far the segments are apart."""
    if silhouette is None:
        return None
    return next((text for least, text in _SEPARATION if silhouette >= least), _CONTINUUM)


def stability(candidate: Candidate | None, users: int) -> str | None:
    """Say what another sample of so many users would give."""
    if candidate is None or candidate.stability is None:
        return None
    known = candidate.stability
    text = next((text for least, text in _STABILITY if known >= least), _STABILITY[-1][1])
    return f"{text.format(users=count(users))} (agreement {known:.2f}; 1 is always the same, 0 is chance)."


def choice(run: Run, candidates: list[Candidate]) -> str | None:
    """Say whether another number of segments would have been better."""
    stable = [each for each in candidates if each.stability is not None]
    here = next((each for each in stable if each.k == run.k), None)
    if here is None or len(stable) < 2:
        return None
    best = max(stable, key=lambda each: each.stability or 0)
    if (best.stability or 0) - (here.stability or 0) > 0.1:
        return (
            f"{run.k} segments are a choice, not a discovery: {best.k} would be more stable"
            f" (agreement {best.stability:.2f})."
        )
    return f"No other number of segments that was tried is clearly more stable than {run.k}."


def fit(silhouette: float | None) -> str:
    """Say in a word how well set off a segment is."""
    if silhouette is None:
        return "not known"
    return next((text for least, text in _FITS if silhouette >= least), "mixed with others")


def strength(value: float | None) -> str:
    """Say in a word how much an attribute explains."""
    return next((text for least, text in _STRENGTHS if (value or 0) >= least), "next to nothing")


def short(name: str) -> str:
    """Return what of a name fits a narrow column: its first phrases, or the beginning of the first."""
    phrases = name.split(", ")
    fitting = (", ".join(phrases[:count]) for count in range(len(phrases), 0, -1))
    if found := next((each for each in fitting if len(each) <= SHORT), None):
        return found
    cut = phrases[0][: SHORT - 1]
    return (cut[: cut.rfind(" ")] if " " in cut[SHORT // 2 :] else cut).rstrip() + "…"


def count(number: float) -> str:
    """Return a whole number with separators."""
    return f"{number:,.0f}"


def percent(share: float | None) -> str:
    """Return a share in percent, with a decimal where it is small."""
    if share is None:
        return "–"
    value = 100 * share
    if 0 < value < 0.1:
        return "< 0.1 %"
    return f"{value:.1f} %" if 0 < value < 9.95 else f"{value:.0f} %"


def number(value: float | None) -> str:
    """Return a number to three digits."""
    if value is None:
        return "–"
    return (f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}").replace("-", "−")


def score(value: float | None) -> str:
    """Return a score of two decimals, with a true minus sign."""
    return "–" if value is None else f"{value:.2f}".replace("-", "−")


def times(lift: float | None) -> str:
    """Return how many times as common something is."""
    if lift is None:
        return "–"
    if lift < 0.05:
        return "0"
    return f"{lift:.0f}×" if lift >= 9.95 else f"{lift:.1f}×"


def change(now: int, before: int | None) -> str | None:
    """Return how much something grew, with its sign."""
    if before is None:
        return None
    return f"{now - before:+,}".replace("-", "−") if now != before else "±0"


def day(moment: datetime) -> str:
    """Return a date as a person writes it."""
    return f"{moment.day} {moment:%B %Y}"


def degrees(value: float, names: str) -> str:
    """Return a latitude or longitude; `names` are the letters of the positive and the negative half."""
    return f"{abs(value):.1f}° {names[value < 0]}"


def quieter(texts: Iterable[str]) -> Callable[[str], str]:
    """Return what writes texts in capitals as sentences are written, if most of these are in capitals.

    Such texts are often cut: a bracket that does not close becomes dots.
    """
    shouting = [_shouts(text) for text in texts]
    return _quiet if 2 * sum(shouting) > len(shouting) else str


def _quiet(text: str) -> str:
    return _UNCLOSED.sub("…", text.capitalize()) if _shouts(text) else text


def _shouts(text: str) -> bool:
    return text == text.upper() != text.lower()
