"""Which faults in sql/ would the golden scripts let pass? Each mutant is one small fault, tried in a toy space.

    python tests/mutate_sql.py sql/text sql/alike           every mutant of these files and folders; default: all
    python tests/mutate_sql.py --sample 100 --seed 1        so many of them, drawn at random
    python tests/mutate_sql.py sql/alike --only '-> <>'      those of whose line and change this is a part
    python tests/mutate_sql.py --list sql/alike             only say what they are
    python tests/mutate_sql.py --json mutants.json          as JSON too

A mutant is killed by the first golden script that prints something else; one that the database cannot read is not
counted. It takes some seconds a mutant, so it is not part of `make test`; Ctrl-C ends it with what is known so far.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from conftest import TESTS, _fill_toy, connect, migrate_toy
from lint_sql import tokens
from pgaudience import resources
from pgaudience.errors import PgaudienceError
from servers import Cluster, Home
from test_golden import SCRIPTS, run_script

CHECKOUT = TESTS.parent
SQL = CHECKOUT / "sql"

SWAPS = {
    "<": (">=", "<="), "<=": (">", "<"), ">": ("<=", ">="), ">=": ("<", ">"), "=": ("<>",), "<>": ("=",),
    "+": ("-",), "-": ("+",), "*": ("/",), "/": ("*",),
    "and": ("or",), "or": ("and",), "true": ("false",), "false": ("true",),
    "least": ("greatest",), "greatest": ("least",), "min": ("max",), "max": ("min",),
    "not": ("",), "distinct": ("",), "desc": ("",),
}  # fmt: skip

# Where no fault is made: what is said, not what is done.
SPOKEN = re.compile(r"raise exception.*?;$|^comment on.*|--[^\n]*", re.DOTALL | re.MULTILINE)

OPENING, CLOSING = ("(", "["), (")", "]")
AFTER_KEYS = ("limit", "offset", "rows", "range", "groups", "loop", "for", "union", "into", ";")


@dataclass(frozen=True)
class Mutant:
    file: str
    line: int
    change: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.change}"


@dataclass(frozen=True)
class Token:
    start: int
    end: int
    word: str
    name: str
    depth: int


def mutants(path: Path) -> Iterator[Mutant]:
    """Every small fault that can be made in a file."""
    text = path.read_text(encoding="utf-8")
    spoken = [match.span() for match in SPOKEN.finditer(text)]
    read = [token for token in _read(text) if not any(start <= token.start < end for start, end in spoken)]
    for start, end, new in _faults(text, read):
        old = text[start:end]
        yield Mutant(
            path.relative_to(CHECKOUT).as_posix(),
            text.count("\n", 0, start) + 1,
            " ".join(f"{old.strip()} -> {new.strip() or 'nothing'}".split()),
            text[:start] + new + text[end:],
        )


def _read(text: str) -> list[Token]:
    found: list[Token] = []
    depth = 0
    for start, end, name in tokens(text):
        word = text[start : end + 1]
        if name in ("SCONST", "SQL_COMMENT"):
            continue
        depth -= word in CLOSING
        found.append(Token(start, end + 1, word, name, depth))
        depth += word in OPENING
    return found


def _faults(text: str, read: list[Token]) -> Iterator[tuple[int, int, str]]:
    for place, token in enumerate(read):
        if token.name == "ICONST":
            value = int(token.word)
            yield token.start, token.end, str(value + 1 if value < 5 else value * 4 // 5)
        elif token.name == "FCONST":
            yield token.start, token.end, str(float(token.word) * 2)
        elif token.word == "coalesce":
            yield from _without_coalesce(text, read, place)
        elif token.word == "by" and read[place - 1].word == "order":
            yield from _without_last_key(read, place)
        for other in SWAPS.get(token.word, ()):
            if not (token.word == "*" and read[place - 1].word in ("select", "(", ".")):
                yield token.start, token.end, other


def _without_last_key(read: list[Token], place: int) -> Iterator[tuple[int, int, str]]:
    depth, comma, last = read[place].depth, None, read[place]
    for token in read[place + 1 :]:
        if token.depth < depth or (token.depth == depth and token.word in AFTER_KEYS):
            if comma:
                yield comma.start, last.end, ""
            return
        if token.depth == depth and token.word == ",":
            comma = token
        last = token


def _without_coalesce(text: str, read: list[Token], place: int) -> Iterator[tuple[int, int, str]]:
    depth, comma = read[place].depth, None
    for token in read[place + 2 :]:
        if token.depth == depth:
            if comma:
                yield read[place].start, token.end, f"({text[read[place + 1].end : comma.start]})"
            return
        if token.word == "," and token.depth == depth + 1 and comma is None:
            comma = token


def judge(cluster: Cluster, mutant: Mutant) -> str:
    """The script that kills a mutant, 'refused' if the database cannot read it, or 'survived'."""
    try:
        made = _replaced(cluster, mutant) if _is_function(mutant) else _installed(cluster, mutant)
    except (psycopg.Error, PgaudienceError, AssertionError) as error:
        unreadable = isinstance(error, psycopg.Error) and (error.sqlstate or "").startswith("42")
        return "refused" if unreadable else "the toy space itself"
    for script in _likely_first(mutant):
        expected = (TESTS / "sql" / f"{script}.out").read_text()
        with _copy(cluster, made) as url:
            try:
                if run_script(url, script) != expected:
                    return script
            except (AssertionError, subprocess.TimeoutExpired):
                return script
    return "survived"


@contextmanager
def _copy(cluster: Cluster, url: str) -> Iterator[str]:
    """A copy of a database for one script, as every golden test has one."""
    name = str(conninfo_to_dict(url)["dbname"])
    cluster.execute("create database copy template {} strategy file_copy", name)
    try:
        yield cluster.url("copy")
    finally:
        cluster.execute("drop database copy with (force)")


def _is_function(mutant: Mutant) -> bool:
    return (
        re.search(r"^create (function|procedure)", mutant.text, re.MULTILINE) is not None and "do $$" not in mutant.text
    )


def _replaced(cluster: Cluster, mutant: Mutant) -> str:
    url = cluster.clone("toy", _fill_toy)
    statement = re.sub(r"^create (function|procedure)", r"create or replace \1", mutant.text, flags=re.MULTILINE)
    with connect(url) as connection:
        connection.execute(statement.encode())
        connection.execute("update space set weighted_at = null")
        connection.execute("insert into changes (relation) values ('space')")
        connection.execute("call refresh()")
    return url


def _installed(cluster: Cluster, mutant: Mutant) -> str:
    """A toy space that was made with the mutant from the start."""
    original = resources._PACKAGE
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(SQL, Path(folder) / "sql")
        (Path(folder) / mutant.file).write_text(mutant.text, encoding="utf-8")
        shutil.copytree(CHECKOUT / "migrations", Path(folder) / "migrations")
        resources._PACKAGE = Path(folder)
        try:
            url = cluster.clone("empty", lambda _: None)
            migrate_toy(url)
            _fill_toy(url)
        finally:
            resources._PACKAGE = original
    return url


def _likely_first(mutant: Mutant) -> list[str]:
    """The scripts, those first that speak of the function or of its room."""
    name = Path(mutant.file).stem.removesuffix("_by_vector")
    room = mutant.file.split("/")[1]

    def distance(script: str) -> tuple[bool, bool, str]:
        text = (TESTS / "sql" / f"{script}.sql").read_text()
        return name not in text, room.rstrip("s") not in script, script

    return sorted(SCRIPTS, key=distance)


def table(judged: list[tuple[Mutant, str]]) -> str:
    lines = []
    for file in sorted({mutant.file for mutant, _ in judged}):
        outcomes = Counter(outcome if outcome in ("survived", "refused") else "killed"
                           for mutant, outcome in judged if mutant.file == file)  # fmt: skip
        lines.append(f"{file:60} {outcomes['killed']:4} killed {outcomes['survived']:4} survived")
        lines += [
            f"    {mutant.line}: {mutant.change}"
            for mutant, outcome in judged if mutant.file == file and outcome == "survived"
        ]  # fmt: skip
    counted = [outcome for _, outcome in judged if outcome != "refused"]
    lines.append(f"{counted.count('survived')} of {len(counted)} mutants survived")
    return "\n".join(lines)


def judge_all(found: list[Mutant]) -> list[tuple[Mutant, str]]:
    """Judge mutants one after the other, until Ctrl-C."""
    home = Home.begin()
    judged: list[tuple[Mutant, str]] = []
    try:
        cluster = Cluster.start(home.path, 18, "mutants")
        untouched = Mutant("sql/vectors/scale.sql", 0, "nothing", (SQL / "vectors" / "scale.sql").read_text())
        assert judge(cluster, untouched) == "survived", "the golden scripts fail without a mutant"
        for mutant in found:
            started = time.monotonic()
            judged.append((mutant, judge(cluster, mutant)))
            cluster.drop_clones(0)
            print(f"{mutant}: {judged[-1][1]} ({time.monotonic() - started:.1f} s)", file=sys.stderr)
    except KeyboardInterrupt:
        print(f"stopped after {len(judged)} of {len(found)} mutants", file=sys.stderr)
    finally:
        home.remove()
    return judged


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("paths", nargs="*", type=Path, default=[SQL])
    parser.add_argument("--only", default="")
    parser.add_argument("--sample", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    files = sorted(
        {file.resolve() for path in given.paths for file in ([path] if path.is_file() else path.rglob("*.sql"))}
    )
    found = [mutant for file in files if file.name != "install.sql" for mutant in mutants(file)]
    found = [mutant for mutant in found if given.only in str(mutant)]
    if given.sample and given.sample < len(found):
        found = random.Random(given.seed).sample(found, given.sample)
    if given.list:
        print("\n".join(map(str, found)))
        return 0
    judged = judge_all(found)
    print(table(judged))
    if given.json:
        keys = ("file", "line", "change")
        rows = [{key: getattr(mutant, key) for key in keys} | {"outcome": outcome} for mutant, outcome in judged]
        given.json.write_text(json.dumps(rows, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
