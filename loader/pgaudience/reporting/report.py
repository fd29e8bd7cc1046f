"""Write a report to a file."""

from __future__ import annotations

import os
import tempfile
from importlib.metadata import version
from pathlib import Path

from pgaudience.database import Connection
from pgaudience.errors import PgaudienceError
from pgaudience.reporting.segmentation import read_figures

_WORLD_READABLE = 0o644


def write_report(connection: Connection, segmentation: str | None, to: Path, with_ids: bool = False) -> None:
    """Write the report of a segmentation, the only one if none is named.

    The file takes its place when it is whole. Ids of users are in it only `with_ids`.

    Raises PgaudienceError when there is nothing to report, or the file cannot be written.
    """
    try:
        from pgaudience.reporting.page import write_page
    except ModuleNotFoundError as error:
        raise PgaudienceError(
            f"a report needs the package {error.name}", 'Install it: pip install "pgaudience[report]"'
        ) from error
    page = write_page(read_figures(connection, segmentation), with_ids, f"pgaudience {version('pgaudience')}")
    _replace(to, page)


def _replace(to: Path, page: str) -> None:
    try:
        handle, name = tempfile.mkstemp(prefix=f".{to.name}.", dir=to.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(page)
        temporary = Path(name)
        temporary.chmod(_WORLD_READABLE)
        temporary.replace(to)
    except OSError as error:
        raise PgaudienceError(f"{to} cannot be written: {error.strerror}") from error
