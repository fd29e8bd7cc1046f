"""Pictures of a segmentation, ready to be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pgaudience.reporting import charts
from pgaudience.reporting.cards import Card
from pgaudience.reporting.figures import NOBODYS, Axis, Candidate, Drawing, Figures, Moment
from pgaudience.reporting.marks import Mark, mark_of
from pgaudience.reporting.raster import PIXELS, Layer, draw_points
from pgaudience.reporting.space import Coloured
from pgaudience.reporting.world import world_about

Place = NDArray[np.float64]

_SMALL = 1040
"""How wide a picture is of which two stand beside each other, in pixels."""

BADGE = 0.085
"""How far apart the numbers on a map are at least, in widths of it: on a telephone a third of an inch."""


@dataclass(frozen=True, slots=True)
class Centre:
    """Where the middle of a segment is on a map, in percent, and where its number is written."""

    card: Card
    left: float
    top: float
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Picture:
    """Users as points."""

    image: str
    ratio: float
    users: int
    centres: list[Centre]
    axes: list[Axis]


@dataclass(frozen=True, slots=True)
class Region:
    """How many users of a segment have a place, and the middle of them: the medians, in degrees."""

    card: Card
    users: int
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Places:
    """Users on a map of the earth; land and borders are paths of a picture 100 wide."""

    image: str
    ratio: float
    users: int
    outside: int
    """How many of them lie beyond the edges."""

    land: str
    borders: str
    regions: list[Region]


@dataclass(frozen=True, slots=True)
class ValuePlaces:
    """Users on a map of the earth, by the values of an attribute; `others` have another value, or none."""

    attribute: str
    image: str
    ratio: float
    users: int
    outside: int
    land: str
    borders: str
    values: list[tuple[Mark, str, int]]
    others: int


@dataclass(frozen=True, slots=True)
class Profile:
    """The silhouettes of the users of a segment, as an area."""

    card: Card
    area: str
    zero: float
    mean: float
    below: float
    users: int


@dataclass(frozen=True, slots=True)
class Choice:
    """The charts from which a number of segments is chosen."""

    candidates: list[Candidate]
    charts: list[tuple[str, str, charts.Line]]


@dataclass(frozen=True, slots=True)
class Course:
    """The share of a segment over time."""

    card: Card
    line: str
    last: tuple[float, float]
    moments: list[Moment]


def draw_map(drawing: Drawing | None, cards: Sequence[Card]) -> Picture | None:
    """Return the users as points, with the middles of their segments; None without a map."""
    if drawing is None:
        return None
    frame = charts.fit_frame(drawing.places, least_ratio=0.6, most_ratio=1)
    shares, ratio = frame.shares(drawing.places), frame.ratio
    shown: list[Card] = []
    middles: list[Place] = []
    for card in cards:
        mine = drawing.segment_ids == card.segment.segment_id
        if mine.any():
            shown.append(card)
            middles.append(np.concatenate([shares[mine].mean(axis=0), drawing.places[mine].mean(axis=0)]))
    found = np.array(middles).reshape(-1, 4)
    apart = charts.keep_apart(found[:, :2], ratio, BADGE)
    centres = [
        Centre(card, 100 * left, 100 * top, x, y)
        for card, (left, top), (x, y) in zip(shown, apart.tolist(), found[:, 2:].tolist(), strict=True)
    ]
    return Picture(_points(drawing, shares, ratio, cards), ratio, len(shares), centres, drawing.axes)


def draw_places(drawing: Drawing | None, cards: Sequence[Card]) -> Places | None:
    """Return where on the earth the users are; None where nobody's longitude and latitude are known."""
    if drawing is None:
        return None
    world = world_about(drawing.places)
    shares, ratio = world.shares(drawing.places), world.frame.ratio
    regions: list[Region] = []
    for card in cards:
        mine = drawing.places[drawing.segment_ids == card.segment.segment_id]
        if len(mine):
            west, south = np.median(mine, axis=0).tolist()
            regions.append(Region(card, len(mine), south, west))
    outside = _count_outside(shares)
    return Places(
        _points(drawing, shares, ratio, cards), ratio, len(shares), outside, world.land, world.borders, regions
    )


def draw_density(drawing: Drawing | None) -> Picture | None:
    """Return the users as points that are all alike; None without a map."""
    if drawing is None:
        return None
    frame = charts.fit_frame(drawing.places, least_ratio=0.6, most_ratio=1)
    image = draw_points([Layer(mark_of(0), frame.shares(drawing.places))], frame.ratio)
    return Picture(image, frame.ratio, len(drawing.places), [], drawing.axes)


def _count_outside(shares: NDArray[np.float64]) -> int:
    """Count the points beyond the edges of a picture."""
    return int(((shares < 0) | (shares >= 1)).any(axis=1).sum())


def draw_values(coloured: Sequence[Coloured]) -> list[ValuePlaces]:
    """Return where on the earth people of each value of an attribute are, a picture an attribute."""
    pictures: list[ValuePlaces] = []
    for each in coloured:
        drawing = each.drawing
        world = world_about(drawing.places)
        shares = world.shares(drawing.places)
        numbers = [
            (None if each.values else mark_of(0), NOBODYS),
            *((mark_of(at), at) for at in range(len(each.values))),
        ]
        layers = [Layer(mark, shares[drawing.segment_ids == number]) for mark, number in numbers]
        width = _SMALL if len(coloured) > 1 else PIXELS
        pictures.append(
            ValuePlaces(
                each.attribute,
                draw_points(layers, world.frame.ratio, width),
                world.frame.ratio,
                len(shares),
                _count_outside(shares),
                world.land,
                world.borders,
                [(mark_of(at), value, users) for at, (value, users) in enumerate(each.values)],
                int((drawing.segment_ids == NOBODYS).sum()),
            )
        )
    return pictures


def _points(drawing: Drawing, shares: Place, ratio: float, cards: Sequence[Card]) -> str:
    ids = [(None, NOBODYS), *((card.mark, card.segment.segment_id) for card in cards)]
    return draw_points([Layer(mark, shares[drawing.segment_ids == segment_id]) for mark, segment_id in ids], ratio)


def draw_choice(figures: Figures) -> Choice | None:
    """Return how good other numbers of segments would be; None where none was tried."""
    found = figures.candidates
    if len(found) < 2:
        return None
    ks = [float(each.k) for each in found]
    lines = [
        ("Inertia", "How far users are from their centre. It always falls: look for the bend.",
         charts.draw_line(ks, [each.inertia for each in found], [each.inertia_sd for each in found])),
        ("Silhouette", "How well segments are set off. Higher is better.",
         charts.draw_line(ks, [each.silhouette for each in found], [each.silhouette_sd for each in found], 0)),
        ("Stability", "Whether another sample gives the same segments. 1 is always.",
         charts.draw_line(ks, [each.stability for each in found], [each.stability_sd for each in found], 0)),
    ]  # fmt: skip
    return Choice(found, [(name, meaning, line) for name, meaning, line in lines if line is not None])


def draw_profiles(figures: Figures, cards: Sequence[Card]) -> list[Profile]:
    """Return the silhouettes of each segment, all on one scale."""
    known = figures.silhouettes
    values = [value for each in known.values() for value in each]
    low, high = min([*values, -0.05]), max([*values, 0.05])
    return [
        Profile(
            card,
            charts.draw_profile(mine, low, high),
            100 - charts.place(0, low, high),
            float(np.mean(mine)),
            float(np.mean(np.array(mine) < 0)),
            len(mine),
        )
        for card in cards
        if (mine := known.get(card.segment.segment_id))
    ]


def draw_history(moments: Sequence[Moment], cards: Sequence[Card]) -> list[Course]:
    """Return the share of each segment over time; nothing where there is one publication."""
    times = sorted({(each.published_at, each.publication_id) for each in moments})
    if len(times) < 2:
        return []
    order = {publication_id: 100 * at / (len(times) - 1) for at, (_, publication_id) in enumerate(times)}
    most = max(each.share for each in moments)
    courses: list[Course] = []
    for card in cards:
        mine = [each for each in moments if each.segment_id == card.segment.segment_id]
        if mine:
            dots = [(order[each.publication_id], 100 - charts.place(each.share, 0, most)) for each in mine]
            courses.append(Course(card, charts.path(dots), dots[-1], mine))
    return courses
