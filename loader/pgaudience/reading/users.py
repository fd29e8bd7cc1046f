"""The second file: one row a user, every other column an attribute."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import BinaryIO

from pgaudience.errors import PgaudienceError
from pgaudience.reading.columns import USER_NAMES, find_named, guess_required, require_single
from pgaudience.reading.faults import Faults, kept
from pgaudience.reading.files import open_file
from pgaudience.reading.formats import format_of, open_table
from pgaudience.reading.json_rows import NestedTable
from pgaudience.reading.reasons import BLANK_USER, LONG_USER, LONGEST_USER_BYTES
from pgaudience.reading.rejects import Rejects
from pgaudience.reading.table import Batch
from pgaudience.reading.texts import attribute_texts


@dataclass(frozen=True, slots=True)
class UserChunk:
    """Some thousand users and their attributes, both of length n; an attribute is None where blank.

    rows: the source rows behind this chunk, rejected ones included. consumed: bytes of the file read so far.
    """

    users: list[str]
    attributes: list[dict[str, str | None]]
    rows: int
    consumed: int


def read_users(
    path: str | Path,
    format: str | None,  # noqa: A002  (the name the command line has for it)
    user: str | None,
    rejects: Rejects,
    stdin: BinaryIO | None = None,
) -> Iterator[UserChunk]:
    """Read a file of users in any format; the column of the user is guessed if it is not named.

    A user may turn up more than once; whose attributes count then is not decided here. Columns without a name are left
    out; a row with a value under a name that PostgreSQL cannot store is rejected. Raises PgaudienceError
    where the file cannot be read or has no column of users, and at once where the rejected rows would go to that file.
    """
    rejects.spare(path)
    return _read(path, format or format_of(str(path)), user, rejects, stdin or sys.stdin.buffer)


def _read(
    path: str | Path, file_format: str, user: str | None, rejects: Rejects, stdin: BinaryIO
) -> Iterator[UserChunk]:
    file = open_file(path, stdin)
    try:
        table = open_table(file, file_format)
        if isinstance(table, NestedTable):
            raise PgaudienceError(f"{file.name} has no rows of users", 'write [{"user_id": …, "age": …}, …]')
        names = _names(table.header, user, file.name)
        for batch in table.batches(names):
            yield _clean(batch, names[1:], rejects, file.name)
    finally:
        file.close()


def _names(header: Sequence[str], user: str | None, source: str) -> list[str]:
    """Name the columns to read, the user first."""
    found = find_named(user, "--user", header, source) or guess_required("user", USER_NAMES, header, header, source)
    require_single(header, header, source)
    return [found, *(name for name in header if name and name != found)]


def _clean(batch: Batch, names: Sequence[str], rejects: Rejects, source: str) -> UserChunk:
    faults = Faults()
    users = faults.texts(batch.columns[0])
    texts = [attribute_texts(values) for values in batch.columns[1:]]
    faults.mark_unstorable([users, *(column for column, _ in texts)])
    described = [
        (name, values)
        for name, (_, values) in zip(names, texts, strict=True)
        if not faults.mark_unstorable_name(name, values)
    ]
    faults.mark(users.values, users.blank(), BLANK_USER)
    faults.mark(users.values, users.longer(LONGEST_USER_BYTES), LONG_USER)
    stay = faults.settle(batch, rejects, source)
    storable = [name for name, _ in described]
    rows = zip(*(values for _, values in described), strict=True) if described else repeat((), len(users.values))
    attributes: list[dict[str, str | None]] = [dict(zip(storable, row, strict=True)) for row in rows]
    chunk = UserChunk(
        kept(users.values, stay), kept(attributes, stay), len(users.values) + len(batch.rejected), batch.consumed
    )
    rejects.accept(source, len(chunk.users))
    return chunk
