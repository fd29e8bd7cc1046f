"""The faults of a batch: for each bad row, the first reason found."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal
from itertools import compress
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from pgaudience.reading.coded import Coded
from pgaudience.reading.reasons import (
    BLANK_ENTRY,
    BLANK_USER,
    BOUNDLESS,
    LONG_ATTRIBUTE,
    LONG_ENTRY,
    LONG_SESSION,
    LONG_USER,
    LONGEST_ATTRIBUTE_BYTES,
    LONGEST_ENTRY_BYTES,
    LONGEST_USER_BYTES,
    NESTED,
    NOT_UTF8,
    NUL,
    PLACEHOLDER,
    Reason,
)
from pgaudience.reading.rejects import Reject, Rejects
from pgaudience.reading.table import Batch
from pgaudience.reading.texts import Texts, as_texts, attribute_texts, texts_if_all
from pgaudience.reading.values import is_boundless, is_utf8, kinds

T = TypeVar("T")


class Faults:
    """Collect what is wrong with the rows of one batch. Rules are applied in order; a row keeps its first reason.

    A rule finds the bad values of a column, and the rows are looked at only if there are any: a clean batch costs no
    Python code per row.
    """

    def __init__(self) -> None:
        self._reasons: dict[int, Reason] = {}

    def texts(self, values: Sequence[object]) -> Texts:
        """Take a column as text; a list, an object or a number without bounds in it is a fault."""
        texts = texts_if_all(values)
        return as_texts(self._bounded(self.flat(values))) if texts is None else texts

    def attributes(self, values: Sequence[object]) -> tuple[Texts, list[str | None]]:
        """Take a column of attributes as texts, and again trimmed, with None in the place of blank ones."""
        return attribute_texts(self._bounded(values))

    def flat(self, values: Sequence[object]) -> Sequence[object]:
        """Put None in the place of lists and objects of a column, which are a fault."""
        if kinds(values).isdisjoint({list, dict}):
            return values
        for row, value in enumerate(values):
            if isinstance(value, list | dict):
                self._reasons.setdefault(row, NESTED)
        return [None if isinstance(value, list | dict) else value for value in values]

    def _bounded(self, values: Sequence[object]) -> Sequence[object]:
        if kinds(values).isdisjoint({float, Decimal}) or not any(map(is_boundless, values)):
            return values
        self.mark_where(np.fromiter(map(is_boundless, values), np.bool_, len(values)), BOUNDLESS)
        return [None if is_boundless(value) else value for value in values]

    def mark(self, values: Sequence[object], bad: Collection[object], reason: Reason) -> None:
        """Give the rows that hold one of the bad values a reason."""
        if bad:
            for row, value in enumerate(values):
                if value in bad:
                    self._reasons.setdefault(row, reason)

    def mark_where(self, bad: NDArray[np.bool_], reason: Reason) -> None:
        """Give the rows for which `bad` is true a reason."""
        for row in np.flatnonzero(bad).tolist():
            self._reasons.setdefault(row, reason)

    def mark_unstorable(self, columns: Sequence[Texts]) -> None:
        """Mark what no PostgreSQL text can hold in any of these columns."""
        for texts in columns:
            self.mark(texts.values, texts.not_utf8(), NOT_UTF8)
        for texts in columns:
            self.mark(texts.values, texts.with_nul(), NUL)

    def mark_unstorable_name(self, name: str, values: Sequence[object]) -> bool:
        """Mark the rows with a value in a column whose name no PostgreSQL text can hold, and tell such a column."""
        reason = None if is_utf8(name) else NOT_UTF8
        if reason is None and "\0" in name:
            reason = NUL
        if reason is not None:
            self.mark_where(np.array([value is not None for value in values], dtype=np.bool_), reason)
        return reason is not None

    def mark_users(self, users: Texts, rejects: Rejects) -> None:
        """Mark what is no id of a user."""
        self.mark(users.values, users.blank(), BLANK_USER)
        self.mark(users.values, users.longer(LONGEST_USER_BYTES), LONG_USER)
        if rejects.are_placeholders:
            self.mark(users.values, users.placeholders(), PLACEHOLDER)

    def mark_entries(self, entries: Texts, rejects: Rejects, blank: Reason = BLANK_ENTRY) -> None:
        """Mark what is no text of an entry."""
        self.mark(entries.values, entries.blank(), blank)
        self.mark(entries.values, entries.longer(LONGEST_ENTRY_BYTES), LONG_ENTRY)
        if rejects.are_placeholders:
            self.mark(entries.values, entries.placeholders(), PLACEHOLDER)

    def mark_attributes(self, columns: Sequence[Texts]) -> None:
        """Mark what is too long for an attribute."""
        for texts in columns:
            self.mark(texts.values, texts.longer(LONGEST_ATTRIBUTE_BYTES), LONG_ATTRIBUTE)

    def mark_sessions(self, sessions: Texts) -> None:
        """Mark what is no id of a session; none at all is fine."""
        self.mark_unstorable([sessions])
        self.mark(sessions.values, sessions.longer(LONGEST_USER_BYTES), LONG_SESSION)

    def good(self, rows: int) -> list[int]:
        """List those of the first rows that have no fault so far."""
        return [row for row in range(rows) if row not in self._reasons]

    def settle(self, batch: Batch, rejects: Rejects, source: str) -> list[bool] | None:
        """Hand the bad rows of a batch to `rejects`, in their order, and say which rows stay; None for all of them."""
        found = [Reject(line, reason, row) for (line, row), reason in self._written(batch)]
        for reject in sorted([*batch.rejected, *found], key=lambda reject: reject.line):
            rejects.add(source, reject)
        if not self._reasons:
            return None
        stay = [True] * len(batch.columns[0])
        for row in self._reasons:
            stay[row] = False
        return stay

    def _written(self, batch: Batch) -> Iterator[tuple[tuple[int, str], Reason]]:
        return ((batch.written(row), reason) for row, reason in self._reasons.items())


def kept(values: Sequence[T], stay: list[bool] | None) -> Sequence[T]:
    """Keep the values of the rows that stay."""
    if stay is None:
        return values
    if isinstance(values, Coded):
        return cast("Sequence[T]", values.only(np.array(stay)))
    return list(compress(values, stay))
