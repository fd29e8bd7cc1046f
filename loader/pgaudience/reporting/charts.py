"""Where things lie in a picture, in percent of its width and height, so that a page can draw it at any size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tick:
    """A value on an axis, and where it is."""

    value: float
    at: float


@dataclass(frozen=True, slots=True)
class Line:
    """Values over numbers: a path, the band of one standard deviation about it, and its ticks."""

    path: str
    band: str | None
    dots: list[tuple[float, float]]
    ticks: list[Tick]


@dataclass(frozen=True, slots=True)
class Frame:
    """What a picture shows: its middle, how wide it is, and its height for its width.

    Both axes have one scale, or distances would lie.
    """

    middle: Points
    width: float
    ratio: float

    def shares(self, places: Points) -> Points:
        """Return where places are in the picture, 0 to 1, y downwards."""
        return 0.5 + (places - self.middle) / np.array([self.width, -self.width * self.ratio])


def draw_line(
    xs: Sequence[float], ys: Sequence[float | None], deviations: Sequence[float | None], least: float | None = None
) -> Line | None:
    """Return a line through the values that are there, or None where fewer than two are; `least` is on the axis too."""
    known = [(x, y, s or 0.0) for x, y, s in zip(xs, ys, deviations, strict=True) if y is not None]
    if len(known) < 2:
        return None
    low = min(y - s for _, y, s in known)
    high = max(y + s for _, y, s in known)
    ticks = nice_ticks(low if least is None else min(low, least), high)
    low, high = min(low, ticks[0]), max(high, ticks[-1])
    across = [place(x, min(xs), max(xs)) for x, _, _ in known]
    dots = [(x, 100 - place(y, low, high)) for x, (_, y, _) in zip(across, known, strict=True)]
    above = [(x, 100 - place(y + s, low, high)) for x, (_, y, s) in zip(across, known, strict=True)]
    below = [(x, 100 - place(y - s, low, high)) for x, (_, y, s) in zip(across, known, strict=True)]
    band = path(above + below[::-1]) + "Z" if any(s for _, _, s in known) else None
    return Line(path(dots), band, dots, [Tick(value, 100 - place(value, low, high)) for value in ticks])


def draw_profile(values: Sequence[float], low: float, high: float) -> str:
    """Return the area between zero and values, largest first, as a path of a picture 100 wide and 100 high."""
    steps = min(len(values), 200)
    at: list[int] = np.linspace(0, len(values) - 1, max(steps, 2)).round().astype(int).tolist()
    heights = [100 - place(values[each], low, high) for each in at]
    across = np.linspace(0, 100, len(heights))
    zero = 100 - place(0, low, high)
    return path([(0, zero), *zip(across.tolist(), heights, strict=True), (100, zero)]) + "Z"


def nice_ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Return round numbers from below `low` to above `high`."""
    span = (high - low) or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(span / about))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power * about >= span)
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return [round(at * step, 12) for at in range(first, last + 1)]


def place(value: float, low: float, high: float) -> float:
    """Return where a value lies between two others, in percent."""
    return 100 * (value - low) / (high - low) if high > low else 50.0


def path(points: Sequence[tuple[float, float]]) -> str:
    """Return points as the path of an SVG."""
    return "M" + "L".join(f"{x:.2f},{y:.2f}" for x, y in points)


def fit_frame(places: Points, least_ratio: float = 0.5, most_ratio: float = 0.66) -> Frame:
    """Return a frame about places, with some room on every side."""
    low, high = places.min(axis=0), places.max(axis=0)
    width, height = np.maximum(high - low, 1e-12) * 1.1
    ratio = float(np.clip(height / width, least_ratio, most_ratio))
    return Frame((low + high) / 2, float(max(width, height / ratio)), ratio)


def keep_apart(centres: Points, ratio: float, distance: float) -> Points:
    """Move labels that would lie on each other; `distance` is in widths of the frame."""
    moved = centres * np.array([1, ratio])
    for _ in range(200):
        gaps = moved[:, None] - moved[None]
        lengths = np.linalg.norm(gaps, axis=2)
        np.fill_diagonal(lengths, np.inf)
        close = np.maximum(distance - lengths, 0)
        if not close.any():
            break
        apart = np.where(lengths[..., None] > 1e-9, gaps / np.maximum(lengths, 1e-9)[..., None], [0.6, 0.8])
        moved = moved + 0.5 * (apart * close[..., None]).sum(axis=1)
        moved = np.clip(moved, distance / 2, np.array([1, ratio]) - distance / 2)
    return moved / np.array([1, ratio])
