"""Open psql on a database."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from typing import Never

from pgaudience.database import connect, use_schema


def run_psql(conninfo: str, schema: str, args: Sequence[str]) -> Never:
    """Become psql, with search_path set to the space; the one on PATH, else the embedded server's."""
    with connect(conninfo) as connection:
        use_schema(connection, schema)
        found = connection.execute("select current_setting('search_path')").fetchone()
    program = shutil.which("psql") or _embedded_psql()
    search_path = str(found[0] if found else schema).replace("\\", "\\\\").replace(" ", "\\ ")
    options = f"{os.environ.get('PGOPTIONS', '')} -c search_path={search_path}".strip()
    database = ["--dbname", conninfo] if conninfo else []
    os.execve(program, [program, *database, *args], {**os.environ, "PGOPTIONS": options})  # noqa: S606


def _embedded_psql() -> str:
    from pgaudience.server import binary

    return str(binary("psql"))
