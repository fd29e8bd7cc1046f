"""Every code block of the README and of docs/ runs, top to bottom, and the output shown after a block is its output."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import TESTS, run_psql
from openai_server import serving

pytestmark = pytest.mark.slow

CHECKOUT = TESTS.parent
PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md"))]

# What a page needs and the space its SQL runs in, if it is not what the demo leaves behind.
FIXTURES = {
    "bi.md": "segmented",
    "functions.md": "segmented",
    "segmentation.md": "bare",
    "audiences.md": "places",
    "maps.md": "segmented",
    "report.md": "segmented",
    "spaces.md": "segmented",
    "words.md": "chatting",
}
SPACES = {"segmentation.md": "retail"}

# Sections that another file runs, in a database of their own.
ELSEWHERE = {"README.md": "From tables to audiences, in SQL alone"}  # test_shop

FRACTION = r"-?\d+\.\d+"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def chatting(segmented: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The space `segmented`, beside a service that answers as a chat model."""
    with serving() as server:
        server.any_model = True
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        yield segmented


def section(page: Path, heading: str) -> str:
    """The part of a page below a heading of the second level, up to the next one."""
    found = re.search(rf"^## {re.escape(heading)}$(.*?)(?=^## |\Z)", page.read_text(), re.MULTILINE | re.DOTALL)
    assert found, f"{page.name} has no section {heading}"
    return found[1]


def run_shell(url: str, folder: Path, commands: Path, script: str) -> str:
    """Run a block of shell as in a checkout whose commands are on PATH; return all it prints."""
    environment = {
        **os.environ,
        "PGAUDIENCE_DATABASE_URL": url,
        "PATH": os.pathsep.join([str(commands), str(Path(sys.executable).parent), os.environ["PATH"]]),
    }
    setup = f"set -euo pipefail\nmake() {{ command make --no-print-directory -C '{CHECKOUT}' \"$@\"; }}\n"
    done = subprocess.run(
        ["bash", "-c", setup + script],
        env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=1800,
    )  # fmt: skip
    assert done.returncode == 0, f"{script}\n{done.stdout}"
    return done.stdout


def run_sql(url: str, space: str, script: str) -> str:
    done = run_psql(url, "--set", "ON_ERROR_STOP=1", "--command", script, schema=space)
    assert done.returncode == 0, f"{script}\n{done.stderr}"
    return done.stdout


def is_read(written: str, printed: str) -> bool:
    """Whether a page shows a line as it was printed, but for the last digit of fractions: processors differ in it."""
    if " ".join(re.sub(FRACTION, "#", written).split()) != " ".join(re.sub(FRACTION, "#", printed).split()):
        return False
    pairs = zip(re.findall(FRACTION, written), re.findall(FRACTION, printed), strict=True)
    return all(
        abs(float(w) - float(p)) < 1.5 * 10.0 ** -min(len(n.partition(".")[2]) for n in (w, p)) for w, p in pairs
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_blocks_of_a_page_run(request: pytest.FixtureRequest, tmp_path: Path, commands: Path, page: Path) -> None:
    url = request.getfixturevalue(FIXTURES.get(page.name, "places"))
    space = SPACES.get(page.name, "audience")
    text = page.read_text()
    if page.name in ELSEWHERE:
        text = text.replace(section(page, ELSEWHERE[page.name]), "")
    output = ""
    for language, block in BLOCK.findall(text):
        if language == "sh":
            output = run_shell(url, tmp_path, commands, block)
        elif language == "sql":
            output = run_sql(url, space, block)
        elif language == "text":
            printed = output.splitlines()
            missing = [
                line for line in block.splitlines() if line.strip() and not any(is_read(line, p) for p in printed)
            ]
            assert not missing
        else:
            assert not language, f"a block of {language} in {page.name} is not run"


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
            assert link.startswith("https://") or (page.parent / link).exists(), f"{page.name}: {link}"
