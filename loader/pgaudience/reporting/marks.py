"""Colours and shapes of segments, which tell them apart also in print and for the colour-blind."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float64]
Polygon = list[tuple[float, float]]

# Okabe and Ito (2008); their yellow and black are changed so that they can be seen on white and on black.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a7f00", "#7d7d7d")

NOBODYS_COLOUR = "#9a9a9a"


def _regular(corners: int, size: float, turn: float = 0.0) -> Polygon:
    angles = [2 * math.pi * (at / corners) - math.pi / 2 + turn for at in range(corners)]
    return [(size * math.cos(angle), size * math.sin(angle)) for angle in angles]


def _star(points: int, size: float, inner: float) -> Polygon:
    sizes = (size, inner)
    angles = [math.pi * at / points - math.pi / 2 for at in range(2 * points)]
    return [(sizes[at % 2] * math.cos(angle), sizes[at % 2] * math.sin(angle)) for at, angle in enumerate(angles)]


_ARM = 0.3
_CROSS: Polygon = [
    (-_ARM, -0.95), (_ARM, -0.95), (_ARM, -_ARM), (0.95, -_ARM), (0.95, _ARM), (_ARM, _ARM),
    (_ARM, 0.95), (-_ARM, 0.95), (-_ARM, _ARM), (-0.95, _ARM), (-0.95, -_ARM), (-_ARM, -_ARM),
]  # fmt: skip
_HALF = math.sqrt(0.5)

SHAPES: tuple[Polygon, ...] = (
    _regular(24, 0.85),
    _regular(4, 1.05, math.pi / 4),
    _regular(3, 1.1),
    _regular(4, 1.05),
    _CROSS,
    _regular(3, 1.1, math.pi),
    [((x - y) * _HALF, (x + y) * _HALF) for x, y in _CROSS],
    _star(5, 1.1, 0.5),
)
"""Polygons about the origin, of about radius 1; y grows downwards."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How a segment is drawn everywhere."""

    colour: int
    shape: int


def mark_of(place: int) -> Mark:
    """Return the mark of the segment at this place, counted from 0: no two of the first 64 are alike."""
    turn = place // len(COLOURS)
    return Mark(place % len(COLOURS), (place + turn) % len(SHAPES))


def path_of(shape: Polygon) -> str:
    """Return a shape as the path of an SVG."""
    return "M" + "L".join(f"{x:.2f},{y:.2f}" for x, y in shape) + "Z"


def stamp_of(shape: Polygon, radius: float) -> Image:
    """Return a shape as how much of each pixel it covers, 0 to 1."""
    finer = 4
    half = math.ceil(radius * 1.15)
    side = np.arange((2 * half + 1) * finer) / finer - half - 0.5 + 0.5 / finer
    x, y = np.meshgrid(side / radius, side / radius)
    inside = np.zeros(x.shape, dtype=bool)
    for (x1, y1), (x2, y2) in zip(shape, shape[1:] + shape[:1], strict=True):
        if y1 != y2:
            inside ^= ((y1 > y) != (y2 > y)) & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
    pixels = 2 * half + 1
    return inside.reshape(pixels, finer, pixels, finer).mean(axis=(1, 3))
