"""What is known of a segmentation, as it was read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Ids = NDArray[np.int64]

NOBODYS = -1
"""Instead of a segment_id, of users in no segment."""


@dataclass(frozen=True, slots=True)
class Run:
    """The published run."""

    run_id: int
    previous_run_id: int | None
    method: str
    k: int
    users: int
    unassigned: int
    outliers: int
    users_moved: int | None
    silhouette: float | None
    filter: dict[str, Any] | None
    centered: bool
    published_at: datetime
    suppress_below: int
    space: str
    model: str
    stale: bool
    hidden: int
    """How many segments are too small to be shown."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment that may be shown."""

    segment_id: int
    name: str
    description: str | None
    """In a sentence of a chat model; its keywords then are of the same answer."""
    keywords: list[str]
    users: int
    share: float
    cohesion: float
    silhouette: float | None
    users_before: int | None
    has_theme: bool
    """Whether anything sets it apart; if not, it has the name of what is commonest in it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry in a segment."""

    segment_id: int
    segment_users: int
    entry: str
    users: int
    share: float
    overall_share: float
    lift: float


@dataclass(frozen=True, slots=True)
class Typical:
    """Somebody typical of a segment."""

    segment_id: int
    user_id: str
    top_entries: list[str]


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis of the map."""

    method: str
    axis: int
    explained: float
    explained_of_centres: float | None
    top_entries: list[str]
    bottom_entries: list[str]
    trustworthiness: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """Users as points: whose segment, and where; `segment_ids` has NOBODYS for those in none."""

    segment_ids: Ids
    places: Points
    axes: list[Axis]


@dataclass(frozen=True, slots=True)
class Candidate:
    """How good segments would be with another number of them."""

    k: int
    inertia: float
    inertia_sd: float | None
    silhouette: float | None
    silhouette_sd: float | None
    stability: float | None
    stability_sd: float | None


@dataclass(frozen=True, slots=True)
class Attribute:
    """A value of an attribute in a segment, or a number."""

    segment_id: int
    attribute: str
    value: str | None
    users: int
    share: float | None
    overall_share: float | None
    lift: float | None
    median: float | None
    overall_median: float | None


@dataclass(frozen=True, slots=True)
class Driver:
    """How much an attribute explains: Cramér's V of a category, η² of a number."""

    attribute: str
    kind: str
    users: int
    strength: float | None

    @property
    def is_place(self) -> bool:
        """Whether it is drawn on a map of the earth, rather than counted."""
        return self.attribute in ("latitude", "longitude", "lat", "lon", "lng")


@dataclass(frozen=True, slots=True)
class Moment:
    """How large a segment was when a run was published."""

    publication_id: int
    published_at: datetime
    run_id: int
    segment_id: int
    users: int
    share: float


@dataclass(frozen=True, slots=True)
class Flow:
    """How many users went from one segment to another; None is no segment, NOBODYS one that is not shown."""

    before: int | None
    after: int | None
    users: int


@dataclass(frozen=True, slots=True)
class Figures:
    """All that a report of a segmentation says."""

    segmentation: str
    run: Run
    segments: list[Segment]
    top_entries: list[Entry]
    grid: list[Entry]
    typical: list[Typical]
    map: Drawing | None
    candidates: list[Candidate]
    sample_size: int
    """By how many users they were compared, at most."""
    silhouettes: dict[int, list[float]]
    attributes: list[Attribute]
    drivers: list[Driver]
    places: Drawing | None
    publications: int
    history: list[Moment]
    flows: list[Flow]
