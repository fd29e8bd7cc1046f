"""Segments in the words of a chat model: asked several times each, compared, and the most central answer kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from pgaudience.database import Connection, Space, SpaceConnection
from pgaudience.errors import PgaudienceError
from pgaudience.progress import progress
from pgaudience.wording.agreement import Answer, check_vectors, ranked
from pgaudience.wording.answers import BrokenAnswer, line, lines, parsed
from pgaudience.wording.chat import ChatModel, Prompt, Reply
from pgaudience.wording.prompts import (
    LONGEST_KEYWORD,
    LONGEST_NAME,
    LONGEST_SENTENCE,
    check_attributes,
    published_segments,
    segment_prompt,
)

_RUN = "select published_run(%s)"
_LOCK = "select pg_advisory_xact_lock(lock_key(%s))"
_KNOWN = """
select d.name, d.sentence, d.keywords, d.fault
from segment_descriptions d
where (d.prompt_hash, d.model, d.seed) = (%(prompt_hash)s, %(model)s, %(seed)s)
    and (d.fault is null or not %(again)s)
order by (d.segmentation, d.segment_id) = (%(segmentation)s, %(segment_id)s) desc, d.fault is null desc
limit 1
"""
_STORE = """
insert into segment_descriptions (
    segmentation, segment_id, run_id, model, seed, prompt_hash, name, sentence, keywords, fault,
    prompt_tokens, completion_tokens
)
values (
    %(segmentation)s, %(segment_id)s, %(run_id)s, %(model)s, %(seed)s, %(prompt_hash)s,
    %(name)s, %(sentence)s, %(keywords)s, %(fault)s, %(prompt_tokens)s, %(completion_tokens)s
)
on conflict (segmentation, segment_id, model, seed, prompt_hash) do update
set run_id = excluded.run_id,
    name = excluded.name,
    sentence = excluded.sentence,
    keywords = excluded.keywords,
    fault = excluded.fault,
    prompt_tokens = segment_descriptions.prompt_tokens + excluded.prompt_tokens,
    completion_tokens = segment_descriptions.completion_tokens + excluded.completion_tokens,
    answered_at = excluded.answered_at
where segment_descriptions.fault is not null
"""
_RANKED = """
select d.segment_id, d.model, d.seed, d.prompt_hash
from segment_descriptions d
where d.segmentation = %s and d.rank is not null
"""
_UNRANK = """
update segment_descriptions d
set rank = null, similarity = null, overlap = null
where (d.segmentation, d.segment_id) = (%s, %s) and d.rank is not null
"""
_RANK = """
update segment_descriptions d
set rank = %(rank)s, similarity = %(similarity)s, overlap = %(overlap)s
where (d.segmentation, d.segment_id, d.model, d.seed, d.prompt_hash)
    = (%(segmentation)s, %(segment_id)s, %(model)s, %(seed)s, %(prompt_hash)s)
"""
_NAME = "select name_by_model(%s, %s)"


@dataclass(frozen=True, slots=True)
class Question:
    """What a model is asked of one segment, with one seed."""

    segment_id: int
    prompt: Prompt


@dataclass(frozen=True, slots=True)
class Described:
    """What a run of `describe` did: how many answers it paid for, had already, and got without use."""

    asked: int
    known: int
    prompt_tokens: int
    completion_tokens: int
    faults: dict[str, int]
    """How many answers had each fault."""
    hidden: int
    """Segments that are hidden from BI tools, of which nothing was sent."""


def questions(
    connection: Connection, segmentation: str, *, seeds: int, attributes: Sequence[str], budget: int
) -> list[Question]:
    """Write all prompts of a segmentation: of each segment that is not hidden, one for each seed.

    Raises PgaudienceError where an attribute is unknown or there is nothing to tell of the users.
    """
    (run_id,) = connection.execute(_RUN, [segmentation]).fetchone() or (0,)
    check_attributes(connection, segmentation, attributes)
    found: list[Question] = []
    for segment in published_segments(connection, segmentation):
        if segment.is_hidden:
            continue
        for seed in range(1, seeds + 1):
            prompt = segment_prompt(
                connection, segmentation, run_id, segment.segment_id, seed=seed, attributes=attributes, budget=budget
            )
            if prompt is None:
                raise PgaudienceError(
                    f"the users of segment {segment.segment_id} have no entries, and no attribute was named",
                    "Name what may be sent: --attribute NAME",
                )
            found.append(Question(segment.segment_id, prompt))
    connection.commit()
    return found


def describe_segments(
    connection: SpaceConnection, space: Space, segmentation: str, asked: Sequence[Question], model: ChatModel, *,
    again: bool, rename: bool,
) -> Described:  # fmt: skip
    """Ask what was not answered yet, each answer committed by itself, then rank the answers of each segment.

    An answer that is refused or broken fails alone and is kept with its fault; `again` asks once more. The most central
    of a segment's answers becomes its description and, with `rename`, its name, unless a person gave it one.

    Raises ProviderError when the service fails for good: what was answered stays.
    """
    check_vectors(connection, space)
    connection.commit()
    replies: list[Reply] = []
    faults: dict[str, int] = {}
    answers: dict[int, list[Answer]] = {question.segment_id: [] for question in asked}
    with progress(f"Describing {segmentation}", len(asked), "answers") as shown:
        for question in asked:
            answer, reply = _answer(connection, segmentation, question, model, again=again)
            replies += [reply] if reply else []
            if answer.fault:
                faults[answer.fault] = faults.get(answer.fault, 0) + 1
            else:
                answers[question.segment_id].append(answer)
            shown.advance(1)
    _rank(connection, space, segmentation, model, answers)
    if rename:
        for segment_id in answers:
            connection.execute(_NAME, [segmentation, segment_id])
    hidden = sum(segment.is_hidden for segment in published_segments(connection, segmentation))
    connection.commit()
    return Described(
        len(replies), len(asked) - len(replies),
        sum(reply.prompt_tokens for reply in replies), sum(reply.completion_tokens for reply in replies),
        faults, hidden,
    )  # fmt: skip


def _answer(
    connection: Connection, segmentation: str, question: Question, model: ChatModel, *, again: bool
) -> tuple[Answer, Reply | None]:
    """Return the answer to a question, and the reply if it had to be asked; who asks the same waits for its answer."""
    prompt = question.prompt
    facts = {
        "segmentation": segmentation, "segment_id": question.segment_id, "model": model.name, "seed": prompt.seed,
        "prompt_hash": prompt.hash, "again": again,
    }  # fmt: skip
    with connection.transaction():
        connection.execute(_LOCK, [f"answer {prompt.hash}"])
        known = connection.execute(_KNOWN, facts).fetchone()
        reply = None if known else model.ask(prompt)
        answer = _read(prompt, reply) if reply else Answer(prompt.seed, prompt.hash, *(known or ()))
        (run_id,) = connection.execute(_RUN, [segmentation]).fetchone() or (0,)
        connection.execute(
            _STORE,
            {
                **facts, "run_id": run_id, "name": answer.name or None, "sentence": answer.sentence or None,
                "keywords": answer.keywords or None, "fault": answer.fault,
                "prompt_tokens": reply.prompt_tokens if reply else 0,
                "completion_tokens": reply.completion_tokens if reply else 0,
            },
        )  # fmt: skip
    return answer, reply


def _read(prompt: Prompt, reply: Reply) -> Answer:
    """Take an answer apart; whatever is not of the form asked for is a fault of this answer alone."""
    fault = reply.fault
    if fault is None:
        try:
            told = parsed(reply.text)
            return Answer(
                prompt.seed, prompt.hash,
                line(told, "name", LONGEST_NAME), line(told, "sentence", LONGEST_SENTENCE),
                lines(told, "keywords", least=3, most=3, longest=LONGEST_KEYWORD), None,
            )  # fmt: skip
        except BrokenAnswer as error:
            fault = f"broken: {error}"
    return Answer(prompt.seed, prompt.hash, "", "", [], fault[:500])


def _rank(
    connection: SpaceConnection, space: Space, segmentation: str, model: ChatModel, answers: dict[int, list[Answer]]
) -> None:
    """Compare the answers of those segments that have others than when they were compared last."""
    former: dict[int, set[tuple[str, int, UUID]]] = {}
    for segment_id, *which in connection.execute(_RANKED, [segmentation]).fetchall():
        former.setdefault(segment_id, set()).add(tuple(which))
    changed = {
        segment_id: good
        for segment_id, good in answers.items()
        if good and former.get(segment_id) != {(model.name, answer.seed, answer.prompt_hash) for answer in good}
    }
    for segment_id, best in zip(changed, ranked(connection, space, list(changed.values())), strict=True):
        _store_ranks(connection, segmentation, segment_id, model, best)


def _store_ranks(
    connection: Connection, segmentation: str, segment_id: int, model: ChatModel, best: Sequence[Answer]
) -> None:
    with connection.transaction():
        connection.execute(_UNRANK, [segmentation, segment_id])
        for rank, answer in enumerate(best, 1):
            connection.execute(
                _RANK,
                {
                    "rank": rank, "similarity": answer.similarity, "overlap": answer.overlap,
                    "segmentation": segmentation, "segment_id": segment_id, "model": model.name,
                    "seed": answer.seed, "prompt_hash": answer.prompt_hash,
                },
            )  # fmt: skip
