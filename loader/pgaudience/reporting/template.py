"""Templates of pages; whatever comes from the data is escaped."""

from __future__ import annotations

from collections.abc import Iterable

from jinja2 import Environment, PackageLoader, StrictUndefined

from pgaudience.reporting import words
from pgaudience.reporting.marks import COLOURS, NOBODYS_COLOUR, SHAPES, path_of

_FILTERS = (
    words.count, words.percent, words.number, words.score, words.times, words.change, words.day, words.fit,
    words.strength, words.short, words.degrees,
)  # fmt: skip


def render(name: str, entries: Iterable[str], **values: object) -> str:
    """Return a page; `entries` are those that are on it."""
    environment = Environment(
        loader=PackageLoader("pgaudience.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = {**{each.__name__: each for each in _FILTERS}, "quiet": words.quieter(entries)}
    environment.filters.update(filters)  # pyright: ignore[reportUnknownMemberType]
    shapes = [path_of(shape) for shape in SHAPES]
    return environment.get_template(name).render(shapes=shapes, colours=COLOURS, nobodys=NOBODYS_COLOUR, **values)
