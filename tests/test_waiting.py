"""A command that waits says whom for, and gives up in the end."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from conftest import connect
from pgaudience.cli import cli
from pgaudience.database import SpaceConnection, waiting
from pgaudience.errors import PgaudienceError

LOAD_LOCK = "select pg_advisory_xact_lock(hashtextextended('pgaudience load audience', 0))"
ROW_LOCK = "update users set attributes = '{\"age\": 1}' where user_id = 'ann'"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "SAY_AFTER_SECONDS", 0.3)
    monkeypatch.setattr(SpaceConnection, "lock_timeout", "3s")


@pytest.mark.slow
@pytest.mark.parametrize("statement", [LOAD_LOCK, ROW_LOCK], ids=["advisory lock", "forgotten transaction"])
def test_a_load_names_whom_it_waits_for(
    toy: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], statement: str
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("user_id,entry,age\nann,Ski Aspen,7\n")
    with connect(toy) as other:
        other.execute("set application_name = 'a forgotten window'")
        other.execute(statement.encode())
        command = ["--database", toy, "load", str(file), "--attributes", "age", "--no-embed", "--no-refresh"]
        done = CliRunner().invoke(cli, command)
        pid = other.info.backend_pid
        who = f"process {pid} (a forgotten window, role pgaudience, idle in a transaction, since "
        assert isinstance(done.exception, PgaudienceError), done.output
        assert done.exception.message.startswith(f"gave up waiting for {who}")
        assert f"end it: select pg_terminate_backend({pid});" in str(done.exception.hint)
        assert (done.stderr + capfd.readouterr().err).count(f"Waiting for {who}") == 1
        other.rollback()
    with psycopg.connect(toy) as connection:
        assert connection.execute("select count(*) from audience.loads").fetchone() == (0,)
