"""Embed the entries of a space that have no vector yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from pgvector.psycopg import register_vector

from pgaudience.database import Space
from pgaudience.embedding.each import embed_each
from pgaudience.embedding.provider import DimensionMismatch, Provider
from pgaudience.progress import Progress

Connection = psycopg.Connection[tuple[Any, ...]]

# Longest first: texts of like length share a batch without padding, and the estimate of the time left errs upwards.
_PENDING = """
select e.entry_key
from entries e
left join entry_failures f using (entry_key)
where not exists (select from entry_vectors v where v.entry_key = e.entry_key)
    and (f.entry_key is null or f.failed_at < %(failed_before)s)
order by length(e.entry) desc, e.entry_key
"""

_CLAIM = """
select e.entry_key
from entries e
where e.entry_key = any (%s)
for no key update skip locked
"""

# A statement of its own, whose snapshot is younger than the locks: a vector that another process committed just
# before it gave its claim back is seen here, and not paid for twice.
_CLAIMED_TEXTS = """
select e.entry_key, e.entry
from entries e
left join entry_failures f using (entry_key)
where e.entry_key = any (%(keys)s)
    and not exists (select from entry_vectors v where v.entry_key = e.entry_key)
    and (f.entry_key is null or f.failed_at < %(failed_before)s)
order by length(e.entry) desc, e.entry_key
"""

_STORE = "copy entry_vectors (entry_key, embedding) from stdin (format binary)"

_RECORD_FAILURE = """
insert into entry_failures as f (entry_key, error, failed_at) values (%s, %s, clock_timestamp())
on conflict (entry_key) do update
set error = excluded.error, attempts = f.attempts + 1, failed_at = excluded.failed_at
"""

_FORGET_FAILURES = "delete from entry_failures where entry_key = any (%s)"


NEVER = "-infinity"
"""As `failed_before`: an entry that was refused is not tried again."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """How many texts got a vector and how many were refused, of those looked at: others may have claimed the rest."""

    stored: int = 0
    failed: int = 0
    seen: int = 0

    def __add__(self, other: Embedded) -> Embedded:
        return Embedded(self.stored + other.stored, self.failed + other.failed, self.seen + other.seen)


def check_fits(space: Space, provider: Provider) -> None:
    """Raise DimensionMismatch when the provider's vectors do not fit the space."""
    if provider.dimensions != space.dimensions:
        raise DimensionMismatch(provider.name, asked=space.dimensions, given=provider.dimensions)


def pending_entries(connection: Connection) -> NDArray[np.int64]:
    """Return the keys of the entries without a vector, longest text first; those that failed before included."""
    rows = connection.execute(_PENDING, {"failed_before": _now(connection)}).fetchall()
    connection.commit()
    return np.array([row[0] for row in rows], dtype=np.int64)


def pending_texts(connection: Connection, keys: NDArray[np.int64], size: int = 10_000) -> Iterator[list[str]]:
    """Yield the texts of entries, `size` at a time."""
    for start in range(0, len(keys), size):
        chosen = keys[start : start + size].tolist()
        rows = connection.execute("select entry from entries where entry_key = any (%s)", [chosen]).fetchall()
        yield [row[0] for row in rows]


def embed_pending(connection: Connection, provider: Provider, progress: Progress) -> Embedded:
    """Embed every entry without a vector, in batches, each committed by itself.

    A batch claims its entries with SKIP LOCKED, so any number of processes may run this at once, and one that dies
    gives its claim back. Entries that arrive meanwhile are embedded too. An entry the model refuses is kept in
    `entry_failures` and tried again by the next run, not by this one.

    Raises ProviderError when the model or its service is at fault; all batches before that stay committed.
    """
    done = Embedded()
    for batch in embed_batches(connection, provider, failed_before=_now(connection)):
        done += batch
        progress.advance(batch.seen)
    return done


def embed_batches(connection: Connection, provider: Provider, *, failed_before: object = NEVER) -> Iterator[Embedded]:
    """Do what `embed_pending` does, and yield after each batch, in no transaction.

    Of the entries that were refused before, those whose last failure is older than `failed_before` are tried again.
    """
    register_vector(connection)
    while True:
        rows = connection.execute(_PENDING, {"failed_before": failed_before}).fetchall()
        connection.commit()
        done = Embedded()
        for start in range(0, len(rows), provider.batch_size):
            keys = [row[0] for row in rows[start : start + provider.batch_size]]
            with connection.transaction():
                batch = _embed_batch(connection, provider, keys, failed_before)
            done += batch
            yield batch
        if not done.stored + done.failed:
            return


def _embed_batch(connection: Connection, provider: Provider, keys: list[int], failed_before: object) -> Embedded:
    claimed = [row[0] for row in connection.execute(_CLAIM, [keys]).fetchall()]
    batch = connection.execute(_CLAIMED_TEXTS, {"keys": claimed, "failed_before": failed_before}).fetchall()
    if not batch:
        return Embedded(seen=len(keys))
    result = embed_each(provider, [entry for _, entry in batch])
    stored = [batch[position][0] for position in result.kept]
    with connection.cursor().copy(_STORE) as copy:
        copy.set_types(["int8", "vector"])
        for key, vector in zip(stored, result.vectors, strict=True):
            copy.write_row((key, vector))
    for position, error in result.failures.items():
        connection.execute(_RECORD_FAILURE, [batch[position][0], error])
    connection.execute(_FORGET_FAILURES, [stored])
    return Embedded(stored=len(stored), failed=len(result.failures), seen=len(keys))


def _now(connection: Connection) -> object:
    found = connection.execute("select clock_timestamp()").fetchone()
    connection.commit()
    return found[0] if found else None
