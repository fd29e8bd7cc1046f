"""What is said of each segment at one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pgaudience.reporting import words
from pgaudience.reporting.figures import Attribute, Entry, Figures, Segment, Typical
from pgaudience.reporting.marks import Mark, mark_of

LEAST_STRENGTH = 0.03
"""How much an attribute explains at least, to be spoken of."""

FEW = 3
"""Of fewer users a share means nothing."""

_AS_TELLING_AS_A_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Trait:
    """What tells the people of a segment from others: a share of a value, or a median of a number."""

    attribute: str
    value: str
    here: str
    overall: str


@dataclass(frozen=True, slots=True)
class Card:
    """A segment with all that is said of it at one place."""

    segment: Segment
    mark: Mark
    short: str
    entries: list[Entry]
    typical: list[Typical]
    traits: list[Trait]


def make_cards(figures: Figures) -> list[Card]:
    """Return a card for each segment that may be shown, largest first."""
    return [
        Card(
            segment,
            mark_of(place),
            words.short(segment.name),
            [each for each in figures.top_entries if each.segment_id == segment.segment_id],
            [each for each in figures.typical if each.segment_id == segment.segment_id],
            _traits(figures, segment.segment_id),
        )
        for place, segment in enumerate(figures.segments)
    ]


def _traits(figures: Figures, segment_id: int) -> list[Trait]:
    """Return what is the farthest from all users, by the attributes that explain the segments the most."""
    found: list[tuple[float, Trait]] = []
    for driver in figures.drivers:
        of_all = [each for each in figures.attributes if each.attribute == driver.attribute]
        mine = [each for each in of_all if each.segment_id == segment_id and each.users >= FEW]
        if mine and (driver.strength or 0) >= LEAST_STRENGTH and not (figures.places and driver.is_place):
            trait = _number(mine[0], of_all) if driver.kind == "number" else _value(mine)
            found += [trait] if trait else []
    return [trait for _, trait in sorted(found, key=lambda pair: -pair[0])[:3]]


def _number(mine: Attribute, of_all: Sequence[Attribute]) -> tuple[float, Trait] | None:
    """Return a median that is the farthest of all segments, or nearly so."""
    gaps = [abs((each.median or 0) - (each.overall_median or 0)) for each in of_all]
    gap = abs((mine.median or 0) - (mine.overall_median or 0)) / (max(gaps) or 1)
    trait = Trait(mine.attribute, "median", words.number(mine.median), words.number(mine.overall_median))
    return (_AS_TELLING_AS_A_SHARE * gap, trait) if gap > 0.5 else None


def _value(mine: Sequence[Attribute]) -> tuple[float, Trait] | None:
    """Return the value that is the most above its share of all users."""
    gaps = [
        ((each.share or 0) - (each.overall_share or 0), each)
        for each in mine
        if each.value is not None and (each.lift or 0) >= 1.15
    ]
    gap, best = max(gaps, key=lambda pair: pair[0], default=(0.0, None))
    if best is None or gap < 0.03:
        return None
    return gap, Trait(best.attribute, best.value or "", words.percent(best.share), words.percent(best.overall_share))
