"""Audiences as files: what is in them, how contacts are hashed, and that nothing is lost when an export dies."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet
import pytest

from conftest import connect
from pgaudience.errors import PgaudienceError
from pgaudience.exporting import Contacts, export_audience
from pgaudience.exporting.contacts import email, phone
from test_cli import command

PEOPLE = {
    "ann": {"mail": " Ann.Smith@Example.COM ", "tel": "06 12 34 56 78", "age": 31},
    "eve": {"mail": "no address", "tel": "+1 (650) 555-1212"},
    "bob": {"mail": "", "tel": "12"},
}


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def skiers(toy: str) -> str:
    """The toy space with an audience of three, of whom contacts are known."""
    with connect(toy) as connection:
        for user, attributes in PEOPLE.items():
            connection.execute(
                "update users set attributes = %s::jsonb where user_id = %s", [json.dumps(attributes), user]
            )
        connection.execute("call save_audience('skiers', search => 'ski', mode => 'mean', size => 3)")
    return toy


def export(url: str, *args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return command(url, "export", "audience", "skiers", *args, cwd=cwd)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def size(url: str, members: int) -> None:
    with connect(url, autocommit=True) as connection:
        connection.execute("call save_audience('skiers', search => 'ski', mode => 'mean', size => %s)", [members])


# The files


@pytest.mark.slow
def test_formats_say_the_same(skiers: str, tmp_path: Path) -> None:
    for name in ("m.csv", "m.jsonl", "m.parquet"):
        done = export(skiers, "--to", name, "--attributes", "age,tel", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert done.stderr == f"{name}: 3 members of skiers\n"
        assert done.stdout == ""
    rows = [json.loads(line) for line in (tmp_path / "m.jsonl").read_text().splitlines()]
    assert [(row["user_id"], row["rank"], row["age"], row["tel"]) for row in rows] == [
        ("ann", 1, "31", "06 12 34 56 78"), ("eve", 2, None, "+1 (650) 555-1212"), ("bob", 3, None, "12"),
    ]  # fmt: skip
    assert rows[0]["reasons"] == ["Ski Aspen", "Ski Whistler"]
    assert pyarrow.parquet.read_table(tmp_path / "m.parquet").to_pylist() == rows
    plain = [
        {k: "" if v is None else "; ".join(v) if k == "reasons" else str(v) for k, v in row.items()} for row in rows
    ]
    assert read(tmp_path / "m.csv") == plain
    piped = export(skiers, "--to", "-", "--attributes", "age,tel", cwd=tmp_path)
    assert piped.stdout == (tmp_path / "m.csv").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.csv", "m.jsonl", "m.parquet"]


@pytest.mark.slow
def test_what_cannot_be_exported(skiers: str, tmp_path: Path) -> None:
    for args, message in (
        (("--to", "m.txt"), "the name of m.txt does not say its format"),
        (("--to", "no/folder/m.csv"), "no/folder/m.csv cannot be written: No such file or directory"),
        (("--to", "m.csv", "--columns", "user_id,taste"), "there is no column 'taste'"),
        (("--to", "m.csv", "--columns", "change"), "there is no column 'change'"),
        (("--to", "m.csv", "--attributes", "rank"), "the file would have two columns 'rank'"),
        (("--to", "m.csv", "--columns", ""), "the file would have no column"),
        (("--to", "m.csv", "--hash", "sha256"), "--hash goes with --emails or --phones"),
        (("--to", "m.csv", "--phones", "tel", "--hash", "sha256", "--region", "XX"), "there is no region 'XX'"),
    ):
        done = export(skiers, *args, cwd=tmp_path)
        assert done.returncode != 0
        assert message in done.stderr
    done = command(skiers, "export", "audience", "nobody", "--to", "m.csv", cwd=tmp_path)
    assert "there is no audience 'nobody'\nHint: There are: skiers" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_reader_may_export(skiers: str, tmp_path: Path) -> None:
    with connect(skiers) as connection:
        connection.execute("set role audience_reader")
        assert export_audience(connection, "skiers", str(tmp_path / "m.csv"), "csv").rows == 3


# Contacts


@pytest.mark.parametrize(
    "text, expected",
    [
        ("John_Smith@gmail.com", "john_smith@gmail.com"), (" Élan@Exämple.FR\t", "élan@exämple.fr"),
        ("a@b", None), ("@b.com", None), ("a b@c.de", None), ("nobody", None),
    ],
)  # fmt: skip
def test_email(text: str, expected: str | None) -> None:
    assert email(text) == expected


@pytest.mark.parametrize(
    "text, region, google, meta",
    [
        ("(650)555-1212", "US", "+16505551212", "16505551212"),
        ("06 12 34 56 78", "FR", "+33612345678", "33612345678"),
        ("+33 6 12 34 56 78", "US", "+33612345678", "33612345678"),
        ("0033 612345678", None, "+33612345678", "33612345678"),
        ("06 12 34 56 78", None, None, None),
        ("12", "FR", None, None),
        ("call me", "FR", None, None),
    ],
)
def test_phone(text: str, region: str | None, google: str | None, meta: str | None) -> None:
    assert phone(text, region, "google") == google
    assert phone(text, region, "meta") == meta


def test_hashes_are_those_that_the_platform_publishes() -> None:
    """The examples of Meta's page on customer information parameters."""
    hashed = Contacts(["em"], ["ph"], "US", "meta").hashed({"em": "John_Smith@gmail.com", "ph": "(650)555-1212"})
    assert hashed["em"] == "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"
    assert hashed["ph"] == "e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176"


def test_contacts_are_hashed_and_what_is_none_is_counted(skiers: str, tmp_path: Path) -> None:
    args = (
        "--to",
        "m.csv",
        "--columns",
        "",
        "--emails",
        "mail",
        "--phones",
        "tel",
        "--hash",
        "sha256",
        "--region",
        "FR",
    )
    done = export(skiers, *args, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert read(tmp_path / "m.csv") == [
        {"mail": sha256("ann.smith@example.com"), "tel": sha256("+33612345678")},
        {"mail": "", "tel": sha256("+16505551212")},
        {"mail": "", "tel": ""},
    ]
    assert "1 without a hash: mail is none that can be used" in done.stderr
    assert "1 without a hash: tel is none that can be used" in done.stderr


# Only what has changed


@pytest.mark.slow
def test_changes_since_the_last_export(skiers: str, tmp_path: Path) -> None:
    args = ("--since-last", "crm", "--columns", "user_id,change")
    assert export(skiers, "--to", "1.csv", *args, cwd=tmp_path).stderr == "1.csv: 3 changes of skiers\n"
    assert {row["user_id"]: row["change"] for row in read(tmp_path / "1.csv")} == dict.fromkeys(PEOPLE, "entered")
    export(skiers, "--to", "2.csv", *args, cwd=tmp_path)
    assert read(tmp_path / "2.csv") == []
    size(skiers, 1)
    size(skiers, 2)
    export(skiers, "--to", "3.csv", *args, cwd=tmp_path)
    assert {row["user_id"]: row["change"] for row in read(tmp_path / "3.csv")} == {"bob": "left", "eve": "entered"}
    full = export(skiers, "--to", "-", "--since-last", "another", cwd=tmp_path)
    assert [line.partition(",")[0] for line in full.stdout.splitlines()] == ["user_id", "ann", "eve"]


def test_who_leaves_before_the_first_export_is_confirmed_is_told_of(skiers: str, tmp_path: Path) -> None:
    target = tmp_path / "m.csv"
    with connect(skiers, autocommit=True) as connection:
        connection.execute("call open_cursor('skiers', 'crm')")
        size(skiers, 1)
    export(skiers, "--to", str(target), "--since-last", "crm", cwd=tmp_path)
    assert {row["user_id"]: row["change"] for row in read(target)} == {"ann": "entered", "bob": "left", "eve": "left"}


def test_an_export_that_fails_is_done_again(skiers: str, tmp_path: Path) -> None:
    with connect(skiers) as connection:
        export_audience(connection, "skiers", str(tmp_path / "m.csv"), "csv", cursor="crm")
        size(skiers, 1)
        before = (tmp_path / "m.csv").read_text()

        class Broken(Contacts):
            def hashed(self, attributes: object) -> dict[str, str | None]:
                raise OSError(28, "No space left on device")

        with pytest.raises(PgaudienceError, match="No space left on device"):
            export_audience(
                connection,
                "skiers",
                str(tmp_path / "m.csv"),
                "csv",
                attributes=["mail"],
                contacts=Broken(),
                cursor="crm",
            )
        connection.rollback()
        assert (tmp_path / "m.csv").read_text() == before
        assert [path.name for path in tmp_path.iterdir()] == ["m.csv"]
        assert export_audience(connection, "skiers", str(tmp_path / "m.csv"), "csv", cursor="crm").rows == 2


@pytest.mark.slow
@pytest.mark.parametrize("kill", range(4))
def test_a_copy_fed_by_exports_that_are_killed_is_right_in_the_end(skiers: str, tmp_path: Path, kill: int) -> None:
    """A copy that applies every file it sees, some of them twice, has the members of the audience."""
    copy: set[str] = set()
    target = tmp_path / "changes.csv"

    def apply() -> None:
        for row in read(target) if target.exists() else ():
            (copy.discard if row["change"] == "left" else copy.add)(row["user_id"])
        target.unlink(missing_ok=True)

    for members in (3, 1, 3, 2):
        size(skiers, members)
        process = subprocess.Popen(
            [sys.executable, "-m", "pgaudience", "export", "audience", "skiers", "--to", target, "--since-last", "x"],
            env={**os.environ, "PGAUDIENCE_DATABASE_URL": skiers}, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(0.2 + 0.15 * kill)
        process.send_signal(signal.SIGKILL)
        process.wait()
        apply()
    assert export(skiers, "--to", str(target), "--since-last", "x", cwd=tmp_path).returncode == 0
    apply()
    with connect(skiers) as connection:
        members_now = connection.execute("select user_id from audience_members").fetchall()
    assert copy == {user for (user,) in members_now}
