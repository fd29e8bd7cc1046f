"""What is said of each segment at one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pgaudience.reporting import words
from pgaudience.reporting.figures import Attribute, Entry, Figures, Segment, Typical
from pgaudience.reporting.marks import Mark, mark_of

_FEW = 3


@dataclass(frozen=True, slots=True)
class Trait:
    """A value of an attribute that is commoner in a segment than elsewhere."""

    attribute: str
    value: str
    share: float
    overall_share: float


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
            _traits([each for each in figures.attributes if each.segment_id == segment.segment_id]),
        )
        for place, segment in enumerate(figures.segments)
    ]


def _traits(attributes: Sequence[Attribute]) -> list[Trait]:
    """Return the values that are the most above their share of all users, one an attribute."""
    telling = [
        (each.share - each.overall_share, Trait(each.attribute, each.value, each.share, each.overall_share))
        for each in attributes
        if each.value is not None and each.users >= _FEW and each.share is not None and each.overall_share is not None
        and (each.lift or 0) >= 1.15 and each.share - each.overall_share >= 0.03
    ]  # fmt: skip
    found: dict[str, Trait] = {}
    for _, trait in sorted(telling, key=lambda pair: -pair[0]):
        found.setdefault(trait.attribute, trait)
    return list(found.values())[:3]
