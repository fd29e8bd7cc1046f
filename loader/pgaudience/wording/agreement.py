"""How far answers to the same question agree, and which of them stands for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from pgaudience.database import Space, SpaceConnection, open_space
from pgaudience.encoding import has_encoder
from pgaudience.pipeline import space_provider

_TEXT_SPACE = "select text_space()"
_ENCODE = """
select v.embedding::real[]
from unnest(encode_texts(%s, (select e.passage_prompt from encoder e))) with ordinality v (embedding, place)
order by v.place
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that can be used, or why not; and how far it agrees with the others on the same segment."""

    seed: int
    prompt_hash: UUID
    name: str
    sentence: str
    keywords: list[str]
    fault: str | None
    similarity: float | None = None
    """The mean cosine of its sentence to those of the others; None where it is the only one."""
    overlap: float | None = None
    """The mean share of keywords it has in common with the others."""


def check_vectors(connection: SpaceConnection, space: Space) -> None:
    """Raise PgaudienceError when the space's model is not at hand, before anything is paid for."""
    with _TextSpace(connection, space) as texts:
        if not has_encoder(connection):
            space_provider(texts, None)


def ranked(connection: SpaceConnection, space: Space, groups: Sequence[Sequence[Answer]]) -> list[list[Answer]]:
    """Return each group of answers, the most central first: whose sentence is closest to the others on average.

    The cosines are those of the model in which the space understands texts. Of equals the one with the most keywords in
    common comes first, then the lowest seed.
    """
    sentences = [answer.sentence for group in groups for answer in group]
    vectors = sentence_vectors(connection, space, sentences) if sentences else np.zeros((0, 0))
    found: list[list[Answer]] = []
    for group in groups:
        found.append(_ranked(group, vectors[: len(group)]))
        vectors = vectors[len(group) :]
    return found


def _ranked(answers: Sequence[Answer], vectors: NDArray[np.float64]) -> list[Answer]:
    others = len(answers) - 1
    if others < 1:
        return list(answers)
    cosines = (vectors @ vectors.T).round(6)
    shared = np.zeros_like(cosines)
    for one, other in combinations(range(len(answers)), 2):
        shared[one, other] = shared[other, one] = jaccard(answers[one].keywords, answers[other].keywords)
    judged = [
        replace(
            answer,
            similarity=float((cosines[at].sum() - cosines[at, at]) / others),
            overlap=float(shared[at].sum() / others),
        )
        for at, answer in enumerate(answers)
    ]
    return sorted(judged, key=lambda answer: (-(answer.similarity or 0), -(answer.overlap or 0), answer.seed))


def jaccard(one: Sequence[str], other: Sequence[str]) -> float:
    """Return how many keywords two lists share, of all that are in one of them; case does not matter."""
    left, right = ({keyword.casefold() for keyword in keywords} for keywords in (one, other))
    return len(left & right) / len(left | right) if left | right else 1.0


def sentence_vectors(connection: SpaceConnection, space: Space, sentences: Sequence[str]) -> NDArray[np.float64]:
    """Return unit vectors of the sentences, one a row, by the model in which the space understands texts."""
    with _TextSpace(connection, space) as texts:
        if has_encoder(connection):
            rows = connection.execute(_ENCODE, [list(sentences)]).fetchall()
            connection.commit()
            vectors = np.array([row[0] for row in rows], dtype=np.float64)
        else:
            vectors = space_provider(texts, None).embed(sentences).astype(np.float64)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class _TextSpace:
    """The space in whose model texts are understood, for the time of a block."""

    def __init__(self, connection: SpaceConnection, space: Space) -> None:
        self._connection, self._space = connection, space

    def __enter__(self) -> Space:
        (other,) = self._connection.execute(_TEXT_SPACE).fetchone() or (None,)
        return open_space(self._connection, other) if other else self._space

    def __exit__(self, *_: object) -> None:
        open_space(self._connection, self._space.schema)
