"""The dashboard: which charts it has, of which views, where they stand, and what they say."""

from __future__ import annotations

from dataclasses import dataclass

from pgaudience.dashboards import kinds
from pgaudience.dashboards.kinds import Drawing, Measure


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: what of a view is drawn, how it is called, and how wide it is, of the 12 columns of a row.

    `where` leaves out rows of the view, `filler` is what would bring some where there are none. Of more users than
    `sample_size`, about as many are drawn, the same ones each time.
    """

    name: str
    title: str
    about: str
    view: str
    drawing: Drawing
    width: int
    filler: str
    where: str = ""
    sample_size: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """Charts beside each other, as high as this many eighths of a row of text."""

    height: int
    charts: tuple[Chart, ...]


@dataclass(frozen=True, slots=True)
class Tab:
    """What is looked at together."""

    title: str
    rows: tuple[Row, ...]


_SEGMENT = "call build_segmentation('interests')"
_AUDIENCE = "call save_audience(…)"
_ATTRIBUTES = "pgaudience load --users, then call build_segmentation('interests')"

_USERS = Measure("Users", "sum", "users")
_SIZE = Measure("Users", "max", "users")
_SHARE = Measure("Share", "max", "share", ".0%")
_VALUE = kinds.renamed("value", "Value")  # the table of Superset has a use of its own for the name value
_LIFT = Measure("Times the average", "max", "lift", ".1f")

TABS = (
    Tab(
        "Segments",
        (
            Row(22, (
                Chart(
                    "users in segments", "Users in segments",
                    "How many users the segmentation that is chosen on the left has in its segments.",
                    "segments", kinds.number(_USERS), 3, _SEGMENT,
                ),
                Chart(
                    "segments", "Segments", "How many segments they are in.",
                    "segments", kinds.number(Measure("Segments", "count", "segment_id")), 3, _SEGMENT,
                ),
                Chart(
                    "largest segment", "Largest segment", "The share of the users that the largest segment has.",
                    "segments", kinds.number(_SHARE), 3, _SEGMENT,
                ),
                Chart(
                    "segments as of", "As of", "When the segments were built.",
                    "segments", kinds.number(Measure("As of", "max", "created_at", "smart_date")), 3, _SEGMENT,
                ),
            )),
            Row(50, (
                Chart(
                    "segment sizes", "How many users each segment has",
                    "Click a bar to see the other charts for this segment alone.",
                    "segments", kinds.bars("label", _USERS), 6, _SEGMENT,
                ),
                Chart(
                    "segment history", "How large the segments were over time",
                    "A point for each time the segments were built and published, under the names they have now.",
                    "segment_history", kinds.lines("published_at", "current_label", _SIZE), 6, _SEGMENT,
                ),
            )),
            Row(80, (
                Chart(
                    "segment grid", "What sets the segments apart",
                    "How many times as common an entry is in a segment as among all users: 1.0 is the average."
                    " The four foremost entries of each segment.",
                    "segment_grid", kinds.heat("label", "entry", _LIFT), 6, _SEGMENT, where="rank <= 4",
                ),
                Chart(
                    "segment map", "Users on a map, by segment",
                    "Who is near has a similar taste. The axes have no unit; see map_axes for what they mean.",
                    "segment_map",
                    kinds.points(
                        "user_id", "label",
                        Measure("First axis", "max", "x", ".2f"), Measure("Second axis", "max", "y", ".2f"),
                        Measure("Users", "count", "user_id"),
                    ),
                    6, "pgaudience map --method centres", sample_size=5000,
                ),
            )),
        ),
    ),
    Tab(
        "People",
        (
            Row(40, (
                Chart(
                    "drivers", "Which attributes tell the segments apart",
                    "0: the segments do not differ by it; 1: it alone says who is in which. Below 0.1 is little.",
                    "segment_drivers", kinds.bars("attribute", Measure("Strength", "max", "strength", ".2f")), 6,
                    _ATTRIBUTES, where="strength is not null",
                ),
                Chart(
                    "attribute means", "Means of what is a number",
                    "The mean of each attribute that is a number, in each segment.",
                    "segment_attributes",
                    kinds.crosstab(["attribute"], "label", Measure("Mean", "max", "mean", ",.1f")), 6,
                    "attributes that are numbers, such as an age", where="mean is not null",
                ),
            )),
            Row(90, (
                Chart(
                    "attribute shares", "What the users of each segment are like",
                    "Of the users of a segment of whom an attribute is known: the share that has this value.",
                    "segment_attributes", kinds.crosstab(["attribute", _VALUE], "label", _SHARE), 12, _ATTRIBUTES,
                    where="value is not null",
                ),
            )),
        ),
    ),
    Tab(
        "Audiences",
        (
            Row(40, (
                Chart(
                    "audiences", "The audiences",
                    "Who is in them, how many, as of when, and whether data have changed since.", "audiences",
                    kinds.table(["audience", "meaning", "members", "refreshed_at", "stale"], "members"), 12, _AUDIENCE,
                ),
            )),
            Row(60, (
                Chart(
                    "audience history", "How large the audiences were over time", "A point for each refresh.",
                    "audience_history",
                    kinds.lines("refreshed_at", "audience", Measure("Members", "max", "members")), 6, _AUDIENCE,
                ),
                Chart(
                    "audience overlap", "Who is in two of them at once",
                    "The share of the members of the audience below that are in the one on the left as well.",
                    "audience_overlap", kinds.heat("audience", "other", _SHARE), 6, "a second audience",
                    where="audience <> other",
                ),
            )),
        ),
    ),
)  # fmt: skip
