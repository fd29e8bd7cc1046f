"""Tables with a column for each segment, whose cells are shaded by how far they are from the average."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pgaudience.reporting import words
from pgaudience.reporting.cards import FEW, LEAST_STRENGTH, Card
from pgaudience.reporting.figures import NOBODYS, Attribute, Driver, Entry, Figures
from pgaudience.reporting.marks import Mark

_MOST_ATTRIBUTES = 12
_MOST_VALUES = 6
_LEAST_COMMON = 0.15
"""An attribute whose commonest values are those of fewer users, such as a city, is named but not shown."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table with a column for each segment, in their order; None where nothing is known."""

    label: str
    overall: str
    cells: list[Cell | None]
    first: bool = False
    """Whether another attribute begins here."""
    group: str = ""
    """The attribute; a number has no other label."""
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell says, and how far it is from the average, -4 to 4, as its shade."""

    text: str
    shade: int


def lift_table(grid: Sequence[Entry], cards: Sequence[Card]) -> list[Row]:
    """Return the entries that are foremost anywhere, each beside the segment where it is, in all segments."""
    at = {(each.entry, each.segment_id): each for each in grid}
    best: dict[str, int] = {}
    each_has = max(2, min(6, 42 // len(cards)))
    for card in cards:
        for each in card.entries[:each_has]:
            best.setdefault(each.entry, card.segment.segment_id)
    rows: list[Row] = []
    for card in cards:
        mine = [entry for entry, segment_id in best.items() if segment_id == card.segment.segment_id]
        for place, entry in enumerate(mine):
            cells = [at.get((entry, other.segment.segment_id)) for other in cards]
            overall = next((cell.overall_share for cell in cells if cell), None)
            rows.append(
                Row(
                    entry,
                    words.percent(overall),
                    [
                        Cell(words.times(cell.lift), _shade(cell.lift) if _is_telling(cell) else 0) if cell else None
                        for cell in cells
                    ],
                    first=place == 0,
                    mark=card.mark,
                )
            )
    return rows


def _is_telling(entry: Entry) -> bool:
    """Return whether an entry is had by enough users, or would be by chance, for a lift to mean anything."""
    return max(entry.users, entry.overall_share * entry.segment_users) >= FEW


def attribute_table(figures: Figures, cards: Sequence[Card]) -> list[Row]:
    """Return the attributes that explain the segments best, with their commonest values."""
    rows: list[Row] = []
    shown = 0
    for driver in _not_places(figures):
        if (driver.strength or 0) < LEAST_STRENGTH:
            break
        mine = [each for each in figures.attributes if each.attribute == driver.attribute]
        table = _numbers(driver, mine, cards) if driver.kind == "number" else _values(driver, mine, cards)
        shown += bool(table)
        rows += table
        if shown == _MOST_ATTRIBUTES:
            break
    return rows


def _numbers(driver: Driver, attributes: Sequence[Attribute], cards: Sequence[Card]) -> list[Row]:
    at = {each.segment_id: each for each in attributes if each.median is not None}
    if not at:
        return []
    gaps = [abs((each.median or 0) - (each.overall_median or 0)) for each in at.values()]
    cells: list[Cell | None] = []
    for card in cards:
        each = at.get(card.segment.segment_id)
        if each is None or each.median is None or each.overall_median is None:
            cells.append(None)
            continue
        gap = (each.median - each.overall_median) / max(max(gaps), 1e-12)
        cells.append(Cell(words.number(each.median), round(3 * gap)))
    overall = next(iter(at.values())).overall_median
    return [Row("", words.number(overall), cells, first=True, group=driver.attribute)]


def _values(driver: Driver, attributes: Sequence[Attribute], cards: Sequence[Card]) -> list[Row]:
    overall = {each.value: each.overall_share or 0 for each in attributes if each.value is not None}
    common = sorted(overall, key=lambda value: (-overall[value], value))[:_MOST_VALUES]
    if sum(overall[value] for value in common) < _LEAST_COMMON:
        return []
    at = {(each.value, each.segment_id): each for each in attributes}
    rows: list[Row] = []
    for place, value in enumerate(common):
        found = [at.get((value, card.segment.segment_id)) for card in cards]
        cells = [Cell(words.percent(each.share), _shade(each.lift)) if each else None for each in found]
        rows.append(Row(value, words.percent(overall[value]), cells, place == 0, group=driver.attribute))
    return rows


def unshown(figures: Figures, table: Sequence[Row]) -> tuple[list[str], list[str]]:
    """Return the attributes that the table leaves out: those that say something, and those that say nothing."""
    shown = {row.group for row in table}
    others = [driver for driver in _not_places(figures) if driver.attribute not in shown]
    return (
        [driver.attribute for driver in others if (driver.strength or 0) >= LEAST_STRENGTH],
        [driver.attribute for driver in others if (driver.strength or 0) < LEAST_STRENGTH],
    )


def _not_places(figures: Figures) -> list[Driver]:
    return [driver for driver in figures.drivers if not (figures.places and driver.is_place)]


def _shade(lift: float | None) -> int:
    """Return how far a lift is from 1: as many steps of half a doubling, at most 4."""
    if lift is None:
        return 0
    return int(np.clip(round(2 * np.log2(max(lift, 1 / 16))), -4, 4)) if not 0.87 < lift < 1.15 else 0


def flow_table(figures: Figures, cards: Sequence[Card]) -> list[tuple[str, Mark | None, list[int | None]]]:
    """Return who went where since the run before: a row for each segment they came from, the last two for others."""
    at = {(flow.before, flow.after): flow.users for flow in figures.flows}
    ids = [card.segment.segment_id for card in cards]
    rows: list[tuple[str, Mark | None, list[int | None]]] = []
    for card in cards:
        rows.append((card.short, card.mark, [at.get((card.segment.segment_id, to)) for to in [*ids, None]]))
    for label, source in (("a segment that is gone or hidden", NOBODYS), ("no segment", None)):
        cells = [at.get((source, to)) for to in [*ids, None]]
        if any(cells):
            rows.append((label, None, cells))
    moved = any(flow.before != flow.after for flow in figures.flows)
    return rows if moved else []
