"""The rows that were left out: counted by reason, the first few kept, all of them written to a file."""

from __future__ import annotations

import csv
import errno
import os
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from pgaudience.errors import PgaudienceError
from pgaudience.reading.doubts import Doubts
from pgaudience.reading.files import said_by
from pgaudience.reading.reasons import Reason
from pgaudience.terminal import escaped

EXAMPLES = 10
EXAMPLE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Reject:
    """One rejected row: where it begins, why, and the row as it was written.

    `line` counts from 1. It is the line of the file for CSV, TSV and JSON lines, and the ordinal of the row for JSON,
    Parquet and queries, which have no lines.
    """

    line: int
    reason: Reason
    row: str


@dataclass(frozen=True, slots=True)
class Account:
    """What became of the rows: `read` = `accepted` + `rejected`, and `rejected` is the sum of `reasons`."""

    read: int
    accepted: int
    rejected: int
    reasons: dict[str, int]


class Rejects:
    """Take the rejected rows of one or several sources.

    With a `path`, the first rejected row creates a CSV file there (source, line, reason, row), in which a row has the
    very bytes it had in its source; a symbolic link is not followed. Without one they are only counted. `examples`
    keeps the first ten, shortened and fit for a terminal. With `strict`, the first rejected row raises PgaudienceError
    instead, and nothing is written. With `placeholders`, rows of users or entries such as NULL are rejected, too;
    `doubts` has what was taken though it looks wrong.
    """

    def __init__(self, path: Path | None = None, *, strict: bool = False, placeholders: bool = False) -> None:
        self.path = path
        self.are_placeholders = placeholders
        self.doubts = Doubts()
        self._accepted: Counter[str] = Counter()
        self._reasons: dict[str, Counter[str]] = {}
        self.examples: list[Reject] = []
        self._strict = strict
        self._file: IO[str] | None = None
        self._writer: Any = None

    def spare(self, path: str | Path) -> None:
        """Raise PgaudienceError where the file of rejected rows is this one, which is being read."""
        if self.path is None:
            return
        try:
            is_same = self.path.samefile("/dev/stdin" if str(path) == "-" else path)
        except OSError:  # one of them does not exist
            return
        if is_same:
            raise PgaudienceError(
                f"the rejected rows cannot go to {self.path}, which is being read", "name another file with --rejects"
            )

    @property
    def sources(self) -> list[str]:
        """The sources that rows have come from, in their order."""
        return list(self._accepted)

    @property
    def reasons(self) -> Counter[str]:
        """Rows rejected so far, by reason."""
        return sum(self._reasons.values(), Counter[str]())

    def account(self, source: str | None = None) -> Account:
        """Add up the rows so far, of one source or of all, the most frequent reason first."""
        reasons = self.reasons if source is None else self._reasons.get(source, Counter[str]())
        accepted = self._accepted.total() if source is None else self._accepted[source]
        rejected = reasons.total()
        return Account(accepted + rejected, accepted, rejected, dict(reasons.most_common()))

    def accept(self, source: str, rows: int) -> None:
        """Count rows that were good."""
        self._accepted[source] += rows

    def add(self, source: str, reject: Reject) -> None:
        """Count a rejected row, and write it down."""
        if self._strict:
            raise PgaudienceError(
                f"{source}, line {reject.line}: {reject.reason.text}: {_shortened(reject.row)}",
                f"{reject.reason.mend}; without --strict such rows are left out and reported",
            )
        self._reasons.setdefault(source, Counter())[reject.reason.text] += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(Reject(reject.line, reject.reason, _shortened(reject.row)))
        if self.path is not None:
            self._write(self.path, [source, reject.line, reject.reason.text, reject.row])

    def flush(self) -> None:
        """Write out what was added so far; raise PgaudienceError where the disk does not take it."""
        if self._file is not None and self.path is not None:
            with _written(self.path):
                self._file.flush()

    def close(self) -> None:
        """Close the file of rejected rows, if there is one."""
        if self._file is not None and self.path is not None:
            with _written(self.path):
                self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write(self, path: Path, row: list[object]) -> None:
        with _written(path):
            if self._writer is None:
                self._file = open(  # noqa: SIM115  (with an opener; closed by close())
                    path, "w", encoding="utf-8", errors="surrogateescape", newline="", opener=_open_itself
                )
                self._writer = csv.writer(self._file, lineterminator="\n")
                self._writer.writerow(["source", "line", "reason", "row"])
            self._writer.writerow(row)


def _open_itself(path: str, flags: int) -> int:
    """Open a file, and not what a link of that name, which anybody may have made in a shared folder, points to."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


@contextmanager
def _written(path: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise PgaudienceError(
                f"the rejected rows cannot go to {path}: it is a symbolic link", "name the file itself with --rejects"
            ) from error
        raise PgaudienceError(
            f"cannot write the rejected rows to {path}: {said_by(error)}", "name a writable file with --rejects"
        ) from error


def _shortened(row: str) -> str:
    """Make a row fit to be shown: its beginning, with what a terminal would obey or hide written as an escape."""
    return escaped(row if len(row) <= EXAMPLE_LENGTH else row[:EXAMPLE_LENGTH] + "…")
