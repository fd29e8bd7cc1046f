"""A hundred thousand users as one picture: how many of which segment lie where."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pgaudience.reporting.marks import COLOURS, NOBODYS_COLOUR, SHAPES, Mark, stamp_of

Points = NDArray[np.float64]
Pixels = NDArray[np.float32]

PIXELS = 1600
"""How wide a picture is, in pixels: two for each that a browser draws."""

_LEAST_SEEN = 0.004


@dataclass(frozen=True, slots=True)
class Layer:
    """The users of one segment, or of none: places with x and y from 0 to 1, y downwards."""

    mark: Mark | None
    places: Points


def draw_points(layers: list[Layer], ratio: float) -> str:
    """Return the users as a picture with nothing behind them, as a data URI; `ratio` is its height for its width.

    Where several lie on each other, the colour is stronger; where users of several segments do, most of it is that of
    those who are the most there. It does not matter who is drawn first.
    """
    height = round(PIXELS * ratio)
    users = sum(len(layer.places) for layer in layers)
    radius = float(np.clip(15 * (60 / max(users, 1)) ** 0.25, 2.6, 15))
    opacity = float(np.clip(0.9 * (1500 / max(users, 1)) ** 0.3, 0.3, 0.9))
    clear = np.ones((height, PIXELS), np.float32)
    weights, colours = np.zeros((height, PIXELS), np.float32), np.zeros((height, PIXELS, 3), np.float32)
    for layer in layers:
        cover = _cover(layer, radius, height)
        clear *= np.float32(1 - opacity) ** cover
        weight = cover**2
        weights += weight
        colours += weight[..., None] * np.array(_rgb(layer.mark), np.float32)
    seen = weights > 0
    colours[seen] /= weights[seen, None]
    alpha = 1 - clear
    alpha[alpha < _LEAST_SEEN] = 0
    pixels = np.dstack([colours, 255 * alpha]).round().astype(np.uint8)
    return _data_uri(pixels)


def _cover(layer: Layer, radius: float, height: int) -> Pixels:
    """Return how many users cover each pixel, in parts where only a part of it is covered."""
    stamp = stamp_of(SHAPES[layer.mark.shape if layer.mark else 0], radius if layer.mark else 0.7 * radius)
    margin = len(stamp) // 2
    width = PIXELS + 2 * margin
    down, right = np.nonzero(stamp)
    seen = layer.places[((layer.places >= 0) & (layer.places < 1)).all(axis=1)]
    x, y = (seen[:, 0] * PIXELS).astype(np.int64), (seen[:, 1] * height).astype(np.int64)
    covered = (y * width + x)[:, None] + (down * width + right)
    weights = np.broadcast_to(stamp[down, right], covered.shape)
    cover = np.bincount(covered.ravel(), weights.ravel(), minlength=(height + 2 * margin) * width)
    return cover.reshape(-1, width)[margin:-margin, margin:-margin].astype(np.float32)


def _rgb(mark: Mark | None) -> tuple[int, int, int]:
    text = COLOURS[mark.colour] if mark else NOBODYS_COLOUR
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def _data_uri(pixels: NDArray[np.uint8]) -> str:
    picture = Image.fromarray(pixels).quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    file = BytesIO()
    picture.save(file, "PNG", optimize=True)
    return "data:image/png;base64," + b64encode(file.getvalue()).decode()
