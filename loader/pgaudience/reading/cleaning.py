"""Raw values into clean columns: the rules a row of activity has to meet, the same for every format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pgaudience.reading.columns import Columns
from pgaudience.reading.decimals import Decimals
from pgaudience.reading.faults import Faults, kept
from pgaudience.reading.reasons import (
    BLANK_FREQUENCY,
    LARGEST_FREQUENCY,
    NOT_A_NUMBER,
    NOT_A_TIME,
    NOT_POSITIVE,
    SMALLEST_FREQUENCY,
    TOO_LARGE,
    TOO_SMALL,
)
from pgaudience.reading.rejects import Rejects
from pgaudience.reading.table import Batch
from pgaudience.reading.texts import texts_among
from pgaudience.reading.times import BAD_TIME, to_micros
from pgaudience.reading.values import to_numbers, to_text


@dataclass(frozen=True, slots=True)
class Chunk:
    """The good rows of a batch, column by column, all of length n; n may be 0.

    frequencies: float64, shape (n,), from 1e-15 to 1e15; 1.0 where the source has no frequency.
    times: int64, shape (n,), microseconds since 1970-01-01 UTC, NO_TIME where a row has none; None without such a
    column.
    sessions: the session of each row, None for a row in none; None without such a column.
    attributes: one tuple a row, its texts in the order of Columns.attributes, None where blank; None without any.
    rows: the source rows behind this chunk, rejected ones included.
    consumed: the bytes of the source (compressed, as stored) read so far, to set against Source.size.

    Texts of users and entries are as written: white space and Unicode forms are the database's to fold. Attributes are
    trimmed.
    """

    users: Sequence[str]
    entries: Sequence[str]
    frequencies: NDArray[np.float64]
    times: NDArray[np.int64] | None
    attributes: Sequence[tuple[str | None, ...]] | None
    rows: int
    consumed: int
    sessions: Sequence[str | None] | None = None

    def only(self, stay: list[bool]) -> Chunk:
        """Return the rows that stay."""
        selected = np.array(stay, dtype=np.bool_)
        return replace(
            self,
            users=kept(self.users, stay),
            entries=kept(self.entries, stay),
            frequencies=self.frequencies[selected],
            times=None if self.times is None else self.times[selected],
            attributes=None if self.attributes is None else kept(self.attributes, stay),
            sessions=None if self.sessions is None else kept(self.sessions, stay),
        )


def clean(batch: Batch, columns: Columns, decimals: Decimals, rejects: Rejects, source: str) -> Chunk:
    """Turn a batch, whose columns are those of `columns.names()`, into a chunk; the bad rows go to `rejects`."""
    faults = Faults()
    parts = iter(batch.columns)
    users, entries = faults.texts(next(parts)), faults.texts(next(parts))
    counts = None if columns.frequency is None else faults.flat(next(parts))
    moments = None if columns.occurred_at is None else faults.flat(next(parts))
    told = None if columns.session is None else faults.attributes(next(parts))
    described = [faults.attributes(values) for values in parts]

    written_counts = texts_among(counts or ())
    faults.mark_unstorable([users, entries, written_counts, texts_among(moments or ()), *(t for t, _ in described)])
    if told is not None:
        faults.mark_sessions(told[0])
    faults.mark_users(users, rejects)
    faults.mark_entries(entries, rejects)
    if counts is not None:
        counts = decimals.as_points(counts, written_counts, lambda row: batch.written(row)[0])
    frequencies = np.ones(len(users.values)) if counts is None else _frequencies(counts, faults)
    times = None if moments is None else _times(moments, faults)
    faults.mark_attributes([texts for texts, _ in described])

    stay = faults.settle(batch, rejects, source)
    selected = slice(None) if stay is None else np.array(stay, dtype=np.bool_)
    chunk = Chunk(
        users=kept(users.values, stay),
        entries=kept(entries.values, stay),
        frequencies=frequencies[selected],
        times=None if times is None else times[selected],
        attributes=kept(list(zip(*(values for _, values in described), strict=True)), stay) if described else None,
        rows=len(users.values) + len(batch.rejected),
        consumed=batch.consumed,
        sessions=None if told is None else kept(told[1], stay),
    )
    rejects.accept(source, len(chunk.users))
    rejects.doubts.judge(source, users, entries, stay)
    return chunk


def _frequencies(values: Sequence[object], faults: Faults) -> NDArray[np.float64]:
    numbers = to_numbers(values)
    unusable = ~np.isfinite(numbers)
    blank = np.zeros_like(unusable)
    blank[[row for row in np.flatnonzero(unusable).tolist() if not to_text(values[row]).strip()]] = True
    faults.mark_where(blank, BLANK_FREQUENCY)
    faults.mark_where(unusable, NOT_A_NUMBER)
    faults.mark_where(numbers <= 0, NOT_POSITIVE)
    faults.mark_where(numbers > LARGEST_FREQUENCY, TOO_LARGE)
    faults.mark_where(numbers < SMALLEST_FREQUENCY, TOO_SMALL)
    return numbers


def _times(values: Sequence[object], faults: Faults) -> NDArray[np.int64]:
    micros = to_micros(values)
    faults.mark_where(micros == BAD_TIME, NOT_A_TIME)
    return micros
