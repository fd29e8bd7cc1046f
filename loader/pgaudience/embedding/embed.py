"""Embed the entries of a space whose text has no vector yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from pgvector.psycopg import register_vector

from pgaudience.database import Connection, Space, check_model
from pgaudience.embedding.each import embed_each
from pgaudience.embedding.provider import DimensionMismatch, Provider
from pgaudience.progress import Progress

# One row a text, with the entries that have it. Longest first: texts of like length share a batch without padding, and
# the estimate of the time left errs upwards.
_PENDING = """
select array_agg(t.entry_key order by t.entry_key)
from entry_texts t
where t.is_current is not true
    and (t.refused_at is null or t.refused_at < %(failed_before)s)
group by t.text_hash, length(t.text)
order by length(t.text) desc, min(t.entry_key)
"""

_CLAIM = """
select e.entry_key
from entries e
where e.entry_key = any (%s)
for no key update skip locked
"""

# Statements of their own, whose snapshot is younger than the locks: a vector that another process committed just before
# it gave its claim back is seen here, and not paid for twice. A vector without a hash is of the entry itself.
_COPY_VECTORS = """
insert into entry_vectors (entry_key, embedding, text_hash)
select t.entry_key, known.embedding, case when t.text <> t.entry then t.text_hash end
from entry_texts t
cross join lateral (
    select v.embedding
    from entry_vectors v
    where v.text_hash = t.text_hash
    union all
    select v.embedding
    from entries e
    join entry_vectors v using (entry_key)
    where text_hash(e.entry) = t.text_hash and v.text_hash is null
    limit 1
) known
where t.entry_key = any (%s) and t.is_current is not true
order by t.entry_key
on conflict (entry_key) do update
set embedding = excluded.embedding, text_hash = excluded.text_hash, embedded_at = clock_timestamp()
returning entry_key
"""

_COPY_FAILURES = """
insert into entry_failures (entry_key, error, text_hash, failed_at)
select t.entry_key, known.error, t.text_hash, known.failed_at
from entry_texts t
cross join lateral (
    select f.error, f.failed_at
    from entry_failures f
    where f.text_hash = t.text_hash and f.failed_at >= %(failed_before)s
    limit 1
) known
where t.entry_key = any (%(keys)s) and t.is_current is not true and t.refused_at is null
order by t.entry_key
on conflict (entry_key) do update
set error = excluded.error, attempts = 1, text_hash = excluded.text_hash, failed_at = excluded.failed_at
"""

_CLAIMED_TEXTS = """
select
    min(t.text),
    t.text_hash,
    array_agg(t.entry_key order by t.entry_key),
    array_agg(case when t.text <> t.entry then t.text_hash end order by t.entry_key)
from entry_texts t
where t.entry_key = any (%(keys)s)
    and t.is_current is not true
    and (t.refused_at is null or t.refused_at < %(failed_before)s)
group by t.text_hash, length(t.text)
order by length(t.text) desc, min(t.entry_key)
"""

_REMOVE_OUTDATED = "delete from entry_vectors where entry_key = any (%s)"
_STORE = "copy entry_vectors (entry_key, embedding, text_hash) from stdin (format binary)"

_RECORD_FAILURE = """
insert into entry_failures as f (entry_key, error, text_hash, failed_at)
select k.entry_key, %s, %s, clock_timestamp()
from unnest(%s::bigint[]) k (entry_key)
on conflict (entry_key) do update
set error = excluded.error,
    attempts = case when f.text_hash = excluded.text_hash then f.attempts + 1 else 1 end,
    text_hash = excluded.text_hash,
    failed_at = excluded.failed_at
"""

_FORGET_FAILURES = "delete from entry_failures where entry_key = any (%s)"

# What has to be paid for: one entry of each text that no vector is of.
_UNPAID = """
select min(t.entry_key)
from entry_texts t
where t.is_current is not true
    and not exists (select from entry_vectors v where v.text_hash = t.text_hash)
    and not exists (
        select
        from entries e
        join entry_vectors v using (entry_key)
        where text_hash(e.entry) = t.text_hash and v.text_hash is null
    )
group by t.text_hash
"""


NEVER = "-infinity"
"""As `failed_before`: an entry that was refused is not tried again."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """How many texts got a vector and how many were refused, of those looked at: others may have claimed the rest.

    `copied` are the entries that got the vector of another one with the same text.
    """

    stored: int = 0
    failed: int = 0
    seen: int = 0
    copied: int = 0

    def __add__(self, other: Embedded) -> Embedded:
        return Embedded(
            self.stored + other.stored, self.failed + other.failed, self.seen + other.seen, self.copied + other.copied
        )


@dataclass(frozen=True, slots=True)
class _Text:
    """A text to embed, and the entries that have it, each with the hash its vector is stored with."""

    text: str
    hash: UUID
    keys: list[int]
    hashes: list[UUID | None]


def check_fits(space: Space, provider: Provider) -> None:
    """Raise DimensionMismatch when the provider's vectors do not fit the space."""
    if provider.dimensions != space.dimensions:
        raise DimensionMismatch(provider.name, asked=space.dimensions, given=provider.dimensions)


def count_pending(connection: Connection) -> int:
    """Count the distinct texts of entries that wait for their vector; those that failed before included."""
    rows = connection.execute(_PENDING, {"failed_before": _now(connection)}).rowcount
    connection.commit()
    return rows


def unpaid_texts(connection: Connection, size: int = 10_000) -> Iterator[list[str]]:
    """Yield the texts that the model would be asked for, each once, `size` at a time."""
    keys = [row[0] for row in connection.execute(_UNPAID).fetchall()]
    for start in range(0, len(keys), size):
        chosen = keys[start : start + size]
        rows = connection.execute("select text from entry_texts where entry_key = any (%s)", [chosen]).fetchall()
        yield [row[0] for row in rows]


def embed_pending(connection: Connection, provider: Provider, progress: Progress) -> Embedded:
    """Embed every text of entries that has no vector, in batches, each committed by itself.

    A batch claims its entries with SKIP LOCKED, so any number of processes may run this at once, and one that dies
    gives its claim back. Entries that arrive meanwhile, or whose text changes, are embedded too; the vector of a former
    text stays until then. Entries of one text share a vector. A text the model refuses is kept in `entry_failures` and
    tried again by the next run, not by this one.

    Raises ProviderError when the model or its service is at fault, ModelChanged when the space was swapped; all batches
    before that stay committed.
    """
    done = Embedded()
    for batch in embed_batches(connection, provider, failed_before=_now(connection)):
        done += batch
        progress.advance(batch.seen)
    return done


def embed_batches(connection: Connection, provider: Provider, *, failed_before: object = NEVER) -> Iterator[Embedded]:
    """Do what `embed_pending` does, and yield after each batch, in no transaction.

    Of the texts that were refused before, those whose last failure is older than `failed_before` are tried again.
    """
    register_vector(connection)
    while True:
        rows: list[tuple[list[int]]] = connection.execute(_PENDING, {"failed_before": failed_before}).fetchall()
        connection.commit()
        done = Embedded()
        for start in range(0, len(rows), provider.batch_size):
            texts = [keys for (keys,) in rows[start : start + provider.batch_size]]
            with connection.transaction():
                batch = _embed_batch(connection, provider, texts, failed_before)
            done += batch
            yield batch
        if not done.stored + done.failed + done.copied:
            return


def _embed_batch(connection: Connection, provider: Provider, texts: list[list[int]], failed_before: object) -> Embedded:
    check_model(connection, provider.name, provider.dimensions)
    claimed = _claim(connection, texts)
    copied = [row[0] for row in connection.execute(_COPY_VECTORS, [claimed]).fetchall()]
    connection.execute(_FORGET_FAILURES, [copied])
    connection.execute(_COPY_FAILURES, {"keys": claimed, "failed_before": failed_before})
    rows = connection.execute(_CLAIMED_TEXTS, {"keys": claimed, "failed_before": failed_before}).fetchall()
    batch = [_Text(*row) for row in rows]
    if not batch:
        return Embedded(seen=len(texts), copied=len(copied))
    result = embed_each(provider, [each.text for each in batch])
    stored = [key for position in result.kept for key in batch[position].keys]
    connection.execute(_REMOVE_OUTDATED, [stored])
    with connection.cursor().copy(_STORE) as copy:
        copy.set_types(["int8", "vector", "uuid"])
        for position, vector in zip(result.kept, result.vectors, strict=True):
            for key, text_hash in zip(batch[position].keys, batch[position].hashes, strict=True):
                copy.write_row((key, vector, text_hash))
    for position, error in result.failures.items():
        connection.execute(_RECORD_FAILURE, [error, batch[position].hash, batch[position].keys])
    connection.execute(_FORGET_FAILURES, [stored])
    return Embedded(
        stored=len(result.kept),
        failed=len(result.failures),
        seen=len(texts),
        copied=len(copied) + len(stored) - len(result.kept),
    )


def _claim(connection: Connection, texts: list[list[int]]) -> list[int]:
    """Lock what is free of the entries; who has the first entry of a text has the text, so that it is paid once."""
    wanted = [key for keys in texts for key in keys]
    free = {row[0] for row in connection.execute(_CLAIM, [wanted]).fetchall()}
    return [key for keys in texts if keys[0] in free for key in keys if key in free]


def _now(connection: Connection) -> object:
    found = connection.execute("select clock_timestamp()").fetchone()
    connection.commit()
    return found[0] if found else None
