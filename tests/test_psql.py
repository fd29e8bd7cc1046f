"""The command psql: where it goes, and what others can read of it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from pgaudience.errors import PgaudienceError
from pgaudience.psql import run_psql


def start(url: str, *, given: bool) -> subprocess.Popen[str]:
    """Have psql wait for a second, on an address that is given as an option or by the environment."""
    option = ["--database", url] if given else []
    environment = {} if given else {"PGAUDIENCE_DATABASE_URL": url}
    command = [
        sys.executable,
        "-m",
        "pgaudience",
        *option,
        "psql",
        "-At",
        "-c",
        "select count(*), pg_sleep(2) from users",
    ]
    return subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="reads the arguments of processes in /proc")
@pytest.mark.parametrize("given", [True, False], ids=["option", "environment"])
def test_psql_does_not_show_the_password(toy: str, given: bool) -> None:
    password = str(conninfo_to_dict(toy)["password"])
    with start(toy, given=given) as psql:
        arguments = Path(f"/proc/{psql.pid}/cmdline")
        while not (shown := arguments.read_text()).partition("\0")[0].endswith("psql"):
            assert psql.poll() is None
            time.sleep(0.01)
        output = psql.stdout.read() if psql.stdout else ""
    assert "dbname=" in shown and password not in shown
    assert (psql.wait(), output) == (0, "6|\n")


def test_another_secret_needs_a_service_file(toy: str) -> None:
    with pytest.raises(PgaudienceError, match="psql would show sslpassword in the list of processes") as caught:
        run_psql(f"{toy}&sslpassword=hidden", "audience", [])
    assert caught.value.hint == "Keep it in a service file, and name that: --database service=NAME"
