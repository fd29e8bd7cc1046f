"""Entries in the words of a chat model: each distinct text once, several in a request."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from pgaudience.database import Connection, Space
from pgaudience.errors import PgaudienceError
from pgaudience.progress import progress
from pgaudience.wording.answers import BrokenAnswer
from pgaudience.wording.chat import ChatModel
from pgaudience.wording.entry_prompts import INSTRUCTIONS, SCHEMA, Meaning, entries_prompt, meanings

DESCRIPTION = "ai_description"
TAGS = "ai_tags"
SPELLED_OUT = "spelled_out"

# What is asked is the entry, beside what a glossary makes of it. The commonest come first.
_WAITING = """
select e.entry_key
from entries e
left join entry_stats s using (entry_key)
left join entry_descriptions d
    on (d.entry_key, d.model, d.prompt_hash) = (e.entry_key, %(model)s, %(prompt_hash)s)
    and d.text_hash = text_hash(concat_ws(' = ', e.entry, e.attributes ->> 'spelled_out'))
where d.entry_key is null or d.fault is not null and d.answered_at < %(failed_before)s
order by s.users desc nulls last, e.entry_key
limit %(limit)s
"""
_CLAIM = """
select e.entry_key
from entries e
where e.entry_key = any (%s)
for no key update skip locked
"""
_CLAIMED = """
select e.entry_key, t.text, text_hash(t.text)
from entries e
cross join lateral concat_ws(' = ', e.entry, e.attributes ->> 'spelled_out') t (text)
left join entry_descriptions d
    on (d.entry_key, d.model, d.prompt_hash) = (e.entry_key, %(model)s, %(prompt_hash)s)
    and d.text_hash = text_hash(t.text)
where e.entry_key = any (%(keys)s)
    and (d.entry_key is null or d.fault is not null and d.answered_at < %(failed_before)s)
order by array_position(%(keys)s, e.entry_key)
"""
_TEXTS = """
select concat_ws(' = ', e.entry, e.attributes ->> 'spelled_out')
from entries e
where e.entry_key = any (%s)
order by array_position(%s, e.entry_key)
"""
_STORE = """
insert into entry_descriptions as d (
    entry_key, model, prompt_hash, text_hash, description, tags, fault, prompt_tokens, completion_tokens
)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (entry_key, model, prompt_hash) do update
set text_hash = excluded.text_hash,
    description = excluded.description,
    tags = excluded.tags,
    fault = excluded.fault,
    prompt_tokens = d.prompt_tokens + excluded.prompt_tokens,
    completion_tokens = d.completion_tokens + excluded.completion_tokens,
    answered_at = excluded.answered_at
"""
# Also those that another model, or another prompt, has described since.
_APPLY = """
update entries e
set attributes = e.attributes || jsonb_build_object('ai_description', d.description, 'ai_tags', d.tags)
from entry_descriptions d
where d.entry_key = e.entry_key
    and (d.model, d.prompt_hash) = (%(model)s, %(prompt_hash)s)
    and d.text_hash = text_hash(concat_ws(' = ', e.entry, e.attributes ->> 'spelled_out'))
    and d.fault is null
    and (%(keys)s::bigint[] is null or e.entry_key = any (%(keys)s))
    and not e.attributes @> jsonb_build_object('ai_description', d.description, 'ai_tags', d.tags)
"""
_KINDS = """
insert into attribute_kinds (relation, attribute, kind)
select 'entries', a.name, 'text' from unnest(%s::text[]) a (name)
on conflict (relation, attribute) do update set kind = excluded.kind where attribute_kinds.kind <> excluded.kind
"""


@dataclass(slots=True)
class Enriched:
    """What a run of `enrich` did: how many entries it described, what it paid, and what was of no use."""

    described: int = 0
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    faults: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class Plan:
    """Which entries are to be described, by which model, so many in a request, and what is said of all of them."""

    model: str
    keys: list[int]
    batch: int
    about: str | None
    failed_before: str

    @property
    def prompt_hash(self) -> UUID:
        """What answers are found by, beside the text: everything that is asked of each."""
        return prompt_hash(self.about)

    def batches(self) -> list[list[int]]:
        """Return the entries of each request."""
        return [self.keys[start : start + self.batch] for start in range(0, len(self.keys), self.batch)]


def prompt_hash(about: str | None) -> UUID:
    """Return what answers to the same question have in common, whichever texts it is asked about."""
    whole = json.dumps([INSTRUCTIONS, SCHEMA, about], sort_keys=True)
    return UUID(bytes=hashlib.blake2b(whole.encode(), digest_size=16).digest())


def plan(
    connection: Connection, space: Space, model: str, *, batch: int, limit: int | None, about: str | None, again: bool
) -> Plan:
    """Find the entries that this model was not asked about yet, the commonest first.

    `again` asks also where an answer was refused or broken.

    Raises PgaudienceError in a space that has the entries of another one.
    """
    check_base(space)
    (now,) = connection.execute("select now()::text").fetchone() or ("",)
    failed_before = now if again else "-infinity"
    facts = {"model": model, "prompt_hash": prompt_hash(about), "failed_before": failed_before, "limit": limit}
    keys = [row[0] for row in connection.execute(_WAITING, facts).fetchall()]
    connection.commit()
    return Plan(model, keys, batch, about, failed_before)


def check_base(space: Space) -> None:
    """Raise PgaudienceError in a space that has the entries of another one."""
    if space.base is not None:
        raise PgaudienceError(
            f"the entries of {space.schema!r} are those of {space.base!r}",
            f"Describe them there: pgaudience --schema {space.base} enrich",
        )


def planned_prompts(connection: Connection, planned: Plan) -> list[str]:
    """Return the data of each request, as they would be sent now."""
    return [entries_prompt(_column(connection, _TEXTS, keys, keys), planned.about).data for keys in planned.batches()]


def enrich_entries(connection: Connection, planned: Plan, model: ChatModel) -> Enriched:
    """Ask about the planned entries, each request committed by itself, and keep what is said as their attributes.

    A batch claims its entries with SKIP LOCKED, so any number of processes may run this at once. A request that is
    refused, or whose answer cannot be read, is halved until the bad text stands alone, which is kept with its fault.

    Raises ProviderError when the service fails for good: what was answered stays.
    """
    done = Enriched()
    with connection.transaction():
        connection.execute(_KINDS, [[DESCRIPTION, TAGS]])
        connection.execute(_APPLY, _facts(planned, None))
    with progress("Describing entries", len(planned.keys), "entries") as shown:
        for keys in planned.batches():
            _describe(connection, planned, model, keys, done)
            shown.advance(len(keys))
    return done


def _describe(connection: Connection, planned: Plan, model: ChatModel, keys: Sequence[int], done: Enriched) -> None:
    with connection.transaction():
        free = set(_column(connection, _CLAIM, list(keys)))
        claimed = [key for key in keys if key in free]
        rows = connection.execute(_CLAIMED, _facts(planned, claimed)).fetchall()
        told = _ask(connection, planned, model, rows, done) if rows else []
    if told is None:
        middle = len(rows) // 2
        for half in (rows[:middle], rows[middle:]):
            _describe(connection, planned, model, [key for key, *_ in half], done)


def _ask(
    connection: Connection, planned: Plan, model: ChatModel, rows: Sequence[tuple[int, str, UUID]], done: Enriched
) -> list[Meaning] | None:
    """Ask about some entries and store what is said of them; None where nothing is, of several."""
    reply = model.ask(entries_prompt([text for _, text, _ in rows], planned.about))
    done.requests += 1
    done.prompt_tokens += reply.prompt_tokens
    done.completion_tokens += reply.completion_tokens
    try:
        told = meanings(reply, len(rows))
    except BrokenAnswer as error:
        if len(rows) > 1:
            return None
        told = [Meaning("", [], str(error)[:500])]
    tokens = zip(_shares(reply.prompt_tokens, len(rows)), _shares(reply.completion_tokens, len(rows)), strict=True)
    for (key, _, text_hash), meaning, paid in zip(rows, told, tokens, strict=True):
        said = (None, None) if meaning.fault else (meaning.description, meaning.tags)
        connection.execute(_STORE, [key, planned.model, planned.prompt_hash, text_hash, *said, meaning.fault, *paid])
        if meaning.fault:
            done.faults[meaning.fault] = done.faults.get(meaning.fault, 0) + 1
        else:
            done.described += 1
    connection.execute(_APPLY, _facts(planned, [key for key, *_ in rows]))
    return told


def _shares(tokens: int, count: int) -> list[int]:
    """Spread the tokens of a request over its entries."""
    return [tokens // count + (at < tokens % count) for at in range(count)]


def _facts(planned: Plan, keys: Sequence[int] | None) -> dict[str, object]:
    return {
        "model": planned.model, "prompt_hash": planned.prompt_hash, "keys": None if keys is None else list(keys),
        "failed_before": planned.failed_before,
    }  # fmt: skip


def _column(connection: Connection, query: str, *values: object) -> list[Any]:
    return [row[0] for row in connection.execute(query.encode(), values).fetchall()]
