"""A hundred thousand users as one picture: how many of which segment lie where."""

from __future__ import annotations

import math
from base64 import b64encode
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pgaudience.reporting.marks import COLOURS, NOBODYS_COLOUR, SHAPES, Mark, stamp_of

Points = NDArray[np.float64]

PIXELS = 1600
"""How wide a picture is, in pixels: two for each that a browser draws."""

_LEAST_SEEN = 0.004

_ROUNDS = 64
"""In how many turns the layers are painted, so that none covers the others."""


@dataclass(frozen=True, slots=True)
class Layer:
    """The users of one segment, or of none: places with x and y from 0 to 1, y downwards."""

    mark: Mark | None
    places: Points


def draw_points(layers: list[Layer], ratio: float, width: int = PIXELS) -> str:
    """Return the users as a picture with nothing behind them, as a data URI; `ratio` is its height for its width.

    Where several lie on each other, the colour is stronger. Where users of several segments do, colours stand beside
    each other in dots, as many of each as there are of its users; mixed, they would be grey.
    """
    height = round(width * ratio)
    users = sum(len(layer.places) for layer in layers)
    radius = float(np.clip(15 * (60 / max(users, 1)) ** 0.25, 2.6, 15))
    opacity = float(np.clip(0.9 * (1500 / max(users, 1)) ** 0.3, 0.3, 0.9))
    clear = np.ones((height, width), np.float32)
    margin = math.ceil(1.2 * radius) + 1
    owners = np.zeros((height + 2 * margin) * (width + 2 * margin), np.uint8)
    stamped = [_stamped(layer, radius, (width, height), margin) for layer in layers]
    for covered, weights in stamped:
        cover = np.bincount(covered.ravel(), np.tile(weights, len(covered)), minlength=len(owners))
        clear *= np.float32(1 - opacity) ** _inside(cover.astype(np.float32), height, margin)
    for least in (0.0, 0.5):  # the soft edge of a dot covers no other dot
        for turn in range(_ROUNDS):
            for number, (covered, weights) in enumerate(stamped):
                owners[covered[turn::_ROUNDS, weights > least]] = number
    colours = np.array([_rgb(layer.mark) for layer in layers], np.uint8)[_inside(owners, height, margin)]
    alpha = 1 - clear
    alpha[alpha < _LEAST_SEEN] = 0
    return _data_uri(np.dstack([colours, (255 * alpha).round().astype(np.uint8)]))


def _stamped(
    layer: Layer, radius: float, size: tuple[int, int], margin: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return which pixels each user covers, one user a row, and how much of each pixel that is."""
    stamp = stamp_of(SHAPES[layer.mark.shape if layer.mark else 0], radius if layer.mark else 0.7 * radius)
    down, right = np.nonzero(stamp)
    half = len(stamp) // 2
    seen = layer.places[((layer.places >= 0) & (layer.places < 1)).all(axis=1)]
    x, y = (seen * size).astype(np.int64).T
    width = size[0] + 2 * margin
    corner = (y + margin - half) * width + x + margin - half
    return corner[:, None] + (down * width + right), stamp[down, right]


def _inside(pixels: Any, height: int, margin: int) -> Any:
    return pixels.reshape(height + 2 * margin, -1)[margin:-margin, margin:-margin]


def _rgb(mark: Mark | None) -> tuple[int, int, int]:
    text = COLOURS[mark.colour] if mark else NOBODYS_COLOUR
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def _data_uri(pixels: NDArray[np.uint8]) -> str:
    picture = Image.fromarray(pixels).quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    file = BytesIO()
    picture.save(file, "PNG", optimize=True)
    return "data:image/png;base64," + b64encode(file.getvalue()).decode()
