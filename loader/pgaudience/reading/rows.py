"""Rows as texts: each row of a source is a user, who has one entry, once: the text that a template makes of the row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pgaudience.errors import PgaudienceError
from pgaudience.reading.cleaning import Chunk
from pgaudience.reading.columns import USER_NAMES, Columns, find_named, guess_required, listed, require_single
from pgaudience.reading.faults import Faults, kept
from pgaudience.reading.json_nested import NestedTable
from pgaudience.reading.reasons import BLANK_TEXT
from pgaudience.reading.rejects import Rejects
from pgaudience.reading.table import Batch, Table
from pgaudience.reading.texts import Texts


@dataclass(frozen=True, slots=True)
class RowTemplate:
    """A template for rows: the names of its values, and what fills it, a text for each row of values by name."""

    names: Sequence[str]
    fill: Callable[[Sequence[dict[str, str | None]]], list[str]]


def row_columns(table: Table, user: str | None, template: RowTemplate, source: str) -> Columns:
    """Find the columns of a table whose rows are users: all but the user's are attributes.

    Raises PgaudienceError where there is no column of users, or none of a name in the template.
    """
    if isinstance(table, NestedTable):
        raise PgaudienceError(f"{source} has no rows of users", 'write [{"user_id": …, "age": …}, …]')
    header = table.header
    found = find_named(user, "--user", header, source) or guess_required("user", USER_NAMES, header, header, source)
    require_single(header, header, source)
    for name in template.names:
        if header and name not in header:
            raise PgaudienceError(
                f"{source} has no column {name!r} for the template; it has {listed(header)}",
                "write each name in the braces as the header does",
            )
    return Columns(user=found, attributes=tuple(name for name in header if name and name != found))


def clean_rows(batch: Batch, columns: Columns, template: RowTemplate, rejects: Rejects, source: str) -> Chunk:
    """Turn a batch, whose columns are those of `columns.names()`, into a chunk; the bad rows go to `rejects`."""
    names = columns.names()
    faults = Faults()
    users = faults.texts(batch.columns[0])
    described = [faults.attributes(values) for values in batch.columns[1:]]
    faults.mark_unstorable([users, *(texts for texts, _ in described)])
    for name, (_, values) in zip(names[1:], described, strict=True):
        faults.mark_unstorable_name(name, values)
    faults.mark_users(users, rejects)
    faults.mark_attributes([texts for texts, _ in described])

    attributes = list(zip(*(values for _, values in described), strict=True)) or [()] * len(users.values)
    texts = [""] * len(users.values)
    good = faults.good(len(users.values))
    rows = [dict(zip(names, (users.values[row], *attributes[row]), strict=True)) for row in good]
    for row, text in zip(good, template.fill(rows) if rows else [], strict=True):
        texts[row] = text
    entries = Texts(texts)
    faults.mark_entries(entries, rejects, blank=BLANK_TEXT)

    stay = faults.settle(batch, rejects, source)
    kept_users = kept(users.values, stay)
    rejects.accept(source, len(kept_users))
    rejects.doubts.judge(source, users, None, stay)
    return Chunk(
        users=kept_users,
        entries=kept(entries.values, stay),
        frequencies=np.ones(len(kept_users)),
        times=None,
        attributes=kept(attributes, stay),
        rows=len(users.values) + len(batch.rejected),
        consumed=batch.consumed,
    )
