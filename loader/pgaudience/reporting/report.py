"""Write a report to a file."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from pgaudience.database import Connection
from pgaudience.errors import PgaudienceError
from pgaudience.replacing import replacing
from pgaudience.reporting.segmentation import read_figures
from pgaudience.reporting.space import LEAST_SHOWN, read_space

_MADE_BY = f"pgaudience {version('pgaudience')}"


def write_report(connection: Connection, segmentation: str | None, to: Path, with_ids: bool = False) -> None:
    """Write the report of a segmentation, the only one if none is named.

    The file takes its place when it is whole. Ids of users are in it only `with_ids`.

    Raises PgaudienceError when there is nothing to report, or the file cannot be written.
    """
    with _packages():
        from pgaudience.reporting.page import write_page
    _replace(to, write_page(read_figures(connection, segmentation), with_ids, _MADE_BY))


def write_space_report(connection: Connection, to: Path, with_ids: bool = False) -> None:
    """Write the report of the space itself: how much there is, how it is spread, what is rare; else as write_report."""
    with _packages():
        from pgaudience.reporting.pictures import draw_density, draw_values
        from pgaudience.reporting.template import render
    figures = read_space(connection)
    _replace(
        to,
        render(
            "space.html.j2", [each.entry for each in figures.top_entries], figures=figures, status=figures.status,
            least_shown=LEAST_SHOWN, with_ids=with_ids, made_by=_MADE_BY, map=draw_density(figures.map),
            places=draw_values(figures.places),
        ),
    )  # fmt: skip


@contextmanager
def _packages() -> Generator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise PgaudienceError(
            f"a report needs the package {error.name}", 'Install it: pip install "pgaudience[report]"'
        ) from error


def _replace(to: Path, page: str) -> None:
    with replacing(to) as file:
        file.write(page.encode())
