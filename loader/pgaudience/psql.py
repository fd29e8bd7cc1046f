"""Open psql on a database."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from typing import Never

from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import Conninfo

from pgaudience.database import connect, is_pooled, search_path
from pgaudience.errors import PgaudienceError

_POOLED = """\
Through a pooler no search_path stays: name the schema, as in {schema}.search_users(…), or begin a transaction with
set local search_path = {path};"""


def run_psql(conninfo: str, schema: str, args: Sequence[str]) -> Never:
    """Become psql, with search_path set to the space; the one on PATH, else the embedded server's.

    The password goes by the environment, which only this user reads; the arguments of a process are for everybody.

    Raises PgaudienceError when the address holds another secret, for which there is no such way.
    """
    address, password = _without_password(conninfo)
    with connect(conninfo) as connection:
        path, pooled = search_path(connection, schema), is_pooled(connection)
    environment = {**os.environ, **password}
    if pooled:
        print(_POOLED.format(schema=schema, path=path), file=sys.stderr)  # noqa: T201
    else:
        escaped = path.replace("\\", "\\\\").replace(" ", "\\ ")
        environment["PGOPTIONS"] = f"{os.environ.get('PGOPTIONS', '')} -c search_path={escaped}".strip()
    program = shutil.which("psql") or _embedded_psql()
    database = ["--dbname", address] if address else []
    os.execve(program, [program, *database, *args], environment)  # noqa: S606


def _without_password(conninfo: str) -> tuple[str, dict[str, str]]:
    """Return the address without its password, and the environment that has it instead."""
    parts = conninfo_to_dict(conninfo)
    password = parts.pop("password", None)
    secrets = {option.keyword.decode() for option in Conninfo.get_defaults() if option.dispchar == b"*"}
    if found := sorted(secrets & parts.keys()):
        raise PgaudienceError(
            f"psql would show {' and '.join(found)} in the list of processes",
            "Keep it in a service file, and name that: --database service=NAME",
        )
    return make_conninfo("", **parts), {} if password is None else {"PGPASSWORD": str(password)}


def _embedded_psql() -> str:
    from pgaudience.server import binary

    return str(binary("psql"))
