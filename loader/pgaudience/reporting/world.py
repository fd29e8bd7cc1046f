"""The countries of the world, as far as a picture shows them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from pgaudience.reporting import charts

Places = NDArray[np.float64]

_LEAST_DEGREES = 4.0
_LEFT_OUT = 0.01
_MOST_STRETCHED = 75.0


@dataclass(frozen=True, slots=True)
class World:
    """A part of the world: its frame, and land and borders as paths of a picture 100 wide."""

    frame: charts.Frame
    land: str
    borders: str
    shrink: float

    def shares(self, places: Places) -> Places:
        """Return where degrees of longitude and latitude are in the picture, 0 to 1, y downwards."""
        return self.frame.shares(places * np.array([self.shrink, 1]))


def world_about(places: Places) -> World:
    """Return the part of the world that shows nearly all of these longitudes and latitudes, in degrees.

    Degrees of longitude are as long as they are at its middle, so that countries there have their shapes.
    """
    nearly_all = np.quantile(places, [_LEFT_OUT, 1 - _LEFT_OUT], axis=0)
    middle = nearly_all.mean(axis=0)
    shrink = float(np.cos(np.radians(min(abs(middle[1]), _MOST_STRETCHED))))
    room = np.vstack([nearly_all, middle - _LEAST_DEGREES / 2, middle + _LEAST_DEGREES / 2]) * np.array([shrink, 1])
    frame = charts.fit_frame(room)
    known = json.loads((files("pgaudience.reporting") / "world.json").read_text())
    land, borders = (
        "".join(path for line in known[kind] if (path := _path(line, frame, shrink))) for kind in ("land", "borders")
    )
    return World(frame, land, borders, shrink)


def _path(line: list[int], frame: charts.Frame, shrink: float) -> str | None:
    """Return a line as a path, or nothing where it is out of sight."""
    shares = frame.shares(np.array(line, dtype=np.float64).reshape(-1, 2) / 10 * np.array([shrink, 1]))
    if (shares.max(axis=0) < 0).any() or (shares.min(axis=0) > 1).any():
        return None
    return charts.path([(100 * x, 100 * y * frame.ratio) for x, y in shares.tolist()])
