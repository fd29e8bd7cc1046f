"""tests/sql/*.sql against their .out, which is psql's own output; `make golden` writes them anew."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from conftest import TESTS
from pgaudience.server import binary

SCRIPTS = sorted(path.stem for path in (TESTS / "sql").glob("*.sql"))


def run_script(url: str, script: str) -> str:
    """Run a script in psql, errors between the results, and return all it prints."""
    quiet = ["--no-psqlrc", "--quiet", "--set", "SHOW_CONTEXT=never"]
    command = [binary("psql"), *quiet, "--echo-all", "--dbname", url, "--file", f"{script}.sql"]
    done = subprocess.run(
        command,
        env={**os.environ, "PGOPTIONS": "-c search_path=audience,public,pg_temp"},
        cwd=TESTS / "sql",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    return re.sub(r"^psql:\S+\.sql:\d+: ", "", done.stdout, flags=re.MULTILINE)


@pytest.mark.parametrize("script", SCRIPTS)
def test_golden(toy: str, script: str) -> None:
    found = run_script(toy, script)
    expected = TESTS / "sql" / f"{script}.out"
    if os.environ.get("PGAUDIENCE_GOLDEN") == "write":
        expected.write_text(found)
    assert found == expected.read_text()
