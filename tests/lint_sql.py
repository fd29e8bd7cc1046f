"""The style of sql/, by PostgreSQL's own parser (pglast), inside function bodies too: `make lint` runs it.

    python tests/lint_sql.py [FILE…]

sqlfluff takes what stands between dollar quotes for a string, and that is most of sql/; the server that installs a file
compiles its PL/pgSQL anyway.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from pglast.parser import ParseError, parse_sql, scan

CHECKOUT = Path(__file__).parent.parent
LONGEST = 120
INDENT = 4

# A string between dollar quotes, whose tag comes back at its end; the body of a function or a statement for 'execute'.
QUOTED = re.compile(r"(\$\w*\$)(.*)\1", re.DOTALL)

# What comes before the text of a comment, whose lines are sentences and can be broken anywhere.
COMMENT = re.compile(r"^comment on [^';]* is\s*\Z", re.MULTILINE)

Fault = tuple[int, str]
"""A line, from 1, and what is wrong there."""


def faults(text: str) -> Iterator[Fault]:
    """What is wrong with a file."""
    try:
        statements = parse_sql(text)
    except ParseError as error:
        yield 1, f"does not parse: {error}"
        return
    if not statements:
        yield 1, "has no statement"
    yield from _faults_of_lines(text)
    yield from _faults_of_words(text)


def _faults_of_lines(text: str) -> Iterator[Fault]:
    inside, messages = _lines_inside_strings(text), _lines_of_long_strings(text)
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > LONGEST and number not in messages and not line.startswith("Example: "):
            yield number, f"has {len(line)} characters, {LONGEST} are enough"
        if line != line.rstrip():
            yield number, "ends in white space"
        if "\t" in line:
            yield number, "has a tab"
        if line and number not in inside and (len(line) - len(line.lstrip(" "))) % INDENT:
            yield number, f"is not indented by a multiple of {INDENT}"
    if not text.endswith("\n") or text.endswith("\n\n"):
        yield text.count("\n"), "does not end in one newline"


def _lines_inside_strings(text: str) -> set[int]:
    """Lines that begin within an ordinary string, where white space counts."""
    return {
        line
        for start, end, name in tokens(text)
        if name == "SCONST" and not text.startswith("$", start)
        for line in range(_line(text, start) + 1, _line(text, end) + 1)
    }


def _lines_of_long_strings(text: str) -> set[int]:
    """Lines whose string reaches beyond the limit: a message is not broken in two, so that it can be found."""
    return {
        line
        for start, end, name in tokens(text)
        if name == "SCONST" and not text.startswith("$", start) and not COMMENT.search(text, 0, start)
        for line in range(_line(text, start), _line(text, end) + 1)
    }


def tokens(text: str) -> Iterator[tuple[int, int, str]]:
    """Tokens with their first and last offset, those between dollar quotes too."""
    for token in scan(text):
        yield token.start, token.end, token.name
        if body := QUOTED.fullmatch(text, token.start, token.end + 1):
            for start, end, name in tokens(body[2]):
                yield body.start(2) + start, body.start(2) + end, name


def _faults_of_words(text: str) -> Iterator[Fault]:
    for start, end, name in tokens(text):
        word = text[start : end + 1]
        if (
            name not in ("SCONST", "SQL_COMMENT", "C_COMMENT", "UIDENT")
            and not word.startswith('"')
            and word != word.lower()
        ):
            yield _line(text, start), f"{word} is not in lower case"
        if name == "C_COMMENT":
            yield _line(text, start), "comments begin with --"


def _line(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def main(arguments: list[str]) -> int:
    files = [Path(argument) for argument in arguments] or sorted((CHECKOUT / "sql").rglob("*.sql"))
    found = [
        f"{path}:{line}: {fault}"
        for path in files
        if path.name != "install.sql"
        for line, fault in sorted(faults(path.read_text(encoding="utf-8")))
    ]
    print("\n".join([*found, f"{len(found)} faults in {len(files)} files of SQL"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
