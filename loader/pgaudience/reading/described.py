"""Files that describe: one row a user or an entry, every other column an attribute."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path
from typing import BinaryIO, cast

from pgaudience.errors import PgaudienceError
from pgaudience.reading.columns import ENTRY_NAMES, USER_NAMES, find_named, guess_required, require_single
from pgaudience.reading.faults import Faults, kept
from pgaudience.reading.files import open_file
from pgaudience.reading.formats import format_of, open_table
from pgaudience.reading.json_nested import NestedTable
from pgaudience.reading.rejects import Rejects
from pgaudience.reading.table import Batch
from pgaudience.reading.texts import Texts
from pgaudience.reading.values import to_text

Attributes = dict[str, str | list[str] | None]


@dataclass(frozen=True, slots=True)
class Described:
    """Some thousand users or entries and their attributes, both of length n; an attribute is None where blank.

    rows: the source rows behind this chunk, rejected ones included. consumed: bytes of the file read so far.
    """

    texts: Sequence[str]
    attributes: Sequence[Attributes]
    rows: int
    consumed: int

    def only(self, stay: list[bool]) -> Described:
        """Return those that stay."""
        return replace(self, texts=kept(self.texts, stay), attributes=kept(self.attributes, stay))


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is described: how its column is called, and whether a list is several values."""

    part: str
    option: str
    usual: tuple[str, ...]
    has_lists: bool


_USER = _Kind("user", "--users-id", USER_NAMES, has_lists=False)
_ENTRY = _Kind("entry", "--entries-entry", ENTRY_NAMES, has_lists=True)


def read_users(
    path: str | Path,
    format: str | None,  # noqa: A002  (the name the command line has for it)
    user: str | None,
    rejects: Rejects,
    stdin: BinaryIO | None = None,
) -> Iterator[Described]:
    """Read a file of users in any format; the column of the user is guessed if it is not named.

    A user may turn up more than once; whose attributes count then is not decided here. Columns without a name are left
    out; a row with a value under a name that PostgreSQL cannot store is rejected. Raises PgaudienceError
    where the file cannot be read or has no column of users, and at once where the rejected rows would go to that file.
    """
    rejects.spare(path)
    return _read(path, format or format_of(str(path)), user, rejects, stdin or sys.stdin.buffer, _USER)


def read_entries(
    path: str | Path,
    format: str | None,  # noqa: A002  (the name the command line has for it)
    entry: str | None,
    rejects: Rejects,
    stdin: BinaryIO | None = None,
) -> Iterator[Described]:
    """Read a file of entries as `read_users` reads one of users; a list of JSON or Parquet is several values."""
    rejects.spare(path)
    return _read(path, format or format_of(str(path)), entry, rejects, stdin or sys.stdin.buffer, _ENTRY)


def _read(
    path: str | Path, file_format: str | None, column: str | None, rejects: Rejects, stdin: BinaryIO, kind: _Kind
) -> Iterator[Described]:
    file = open_file(path, stdin)
    try:
        table = open_table(file, file_format)
        if isinstance(table, NestedTable):
            plural = "users" if kind is _USER else "entries"
            raise PgaudienceError(
                f"{file.name} has no rows of {plural}", f'write [{{"{kind.usual[0]}": …, "an attribute": …}}, …]'
            )
        names = _names(table.header, column, file.name, kind)
        for batch in table.batches(names):
            yield _clean(batch, names[1:], rejects, file.name, kind)
        rejects.flush()
    finally:
        file.close()


def _names(header: Sequence[str], column: str | None, source: str, kind: _Kind) -> list[str]:
    """Name the columns to read, that of the user or the entry first."""
    found = find_named(column, kind.option, header, source) or guess_required(
        kind.part, kind.usual, header, header, source, kind.option
    )
    require_single(header, header, source)
    return [found, *(name for name in header if name and name != found)]


def _clean(batch: Batch, names: Sequence[str], rejects: Rejects, source: str, kind: _Kind) -> Described:
    faults = Faults()
    described = faults.texts(batch.columns[0])
    columns = [_values(values, faults, kind) for values in batch.columns[1:]]
    faults.mark_unstorable([described, *(texts for texts, _ in columns)])
    storable = [
        (name, values)
        for name, (_, values) in zip(names, columns, strict=True)
        if not faults.mark_unstorable_name(name, values)
    ]
    if kind is _USER:
        faults.mark_users(described, rejects)
    else:
        faults.mark_entries(described, rejects)
    faults.mark_attributes([texts for texts, _ in columns])
    stay = faults.settle(batch, rejects, source)
    kept_names = [name for name, _ in storable]
    rows = zip(*(values for _, values in storable), strict=True) if storable else repeat((), len(described.values))
    attributes: list[Attributes] = [dict(zip(kept_names, row, strict=True)) for row in rows]
    chunk = Described(
        kept(described.values, stay),
        kept(attributes, stay),
        len(described.values) + len(batch.rejected),
        batch.consumed,
    )
    rejects.accept(source, len(chunk.texts))
    rejects.doubts.judge(source, *((described, None) if kind is _USER else (None, described)), stay)
    return chunk


def _values(values: Sequence[object], faults: Faults, kind: _Kind) -> tuple[Texts, Sequence[str | list[str] | None]]:
    """Take a column of attributes as texts to be checked, and as values with None in the place of blank ones."""
    if not kind.has_lists or list not in set(map(type, values)):
        return faults.attributes(values)
    texts, flat = faults.attributes([_joined(value) for value in values])
    return texts, [
        _list(cast("list[object]", value)) if isinstance(value, list) else flat[row] for row, value in enumerate(values)
    ]


def _list(values: list[object]) -> list[str]:
    return [text for text in (to_text(value).strip() for value in values) if text]


def _joined(value: object) -> object:
    return " ".join(map(to_text, cast("list[object]", value))) if isinstance(value, list) else value
