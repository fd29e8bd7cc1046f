"""Store the space's model in the space, once, if SQL can run it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString, cast

import numpy as np
import psycopg
from numpy.typing import NDArray
from pgvector import HalfVector
from pgvector.psycopg import register_vector

from pgaudience.database import Space, check_model
from pgaudience.embedding.provider import LocalProvider, Provider, model_folder
from pgaudience.encoding.characters import changed_characters
from pgaudience.encoding.model import CannotRun, EncoderModel, read_model, source_digest
from pgaudience.encoding.weights import Weights
from pgaudience.progress import Progress, progress

Connection = psycopg.Connection[tuple[Any, ...]]

LEAST_COSINE = 0.9999
"""To the model itself, for every text of the self-test; half precision costs less than a millionth."""

TESTS = (
    "ski enthusiasts",
    "people who love organic food and cooking at home with children",
    "Crème brûlée at the ÅNGSTRÖM café, Straße 12 — for two!",
    "東京の寿司と한국 음식, Лыжи в Альпах",
    "🎿 snowboarding\u200b & après-ski (50 % off) [MASK] supercalifragilisticexpialidocious",
    "what a long winter it was: " + "we went up the mountain, came down again and had soup in a hut. " * 3,
)
"""Words, pieces of words, case, accents, scripts, symbols, a special token, and a text of some sixty tokens."""

_LOCK = "select pg_advisory_xact_lock(hashtextextended('pgaudience encoder ' || current_schema(), 0))"
_STORED = "select exists (select from encoder)"
_MAY_WRITE = """
select pg_has_role(c.relowner, 'usage')
from pg_class c
where c.oid = to_regclass('encoder_weights')
"""

_COPY_CHARACTERS = "copy encoder_characters (first_code, last_code, becomes, is_word) from stdin (format binary)"
_COPY_TOKENS = "copy encoder_tokens (token, embedding) from stdin (format binary)"
_COPY_POSITIONS = "copy encoder_positions (position, embedding) from stdin (format binary)"
_COPY_NORMS = "copy encoder_norms (layer, norm, scale, shift) from stdin (format binary)"
_COPY_WEIGHTS = "copy encoder_weights (layer, matrix, head, unit, bias, weights) from stdin (format binary)"

_EMPTY = (
    "delete from encoder",
    "truncate encoder_characters, encoder_tokens, encoder_positions, encoder_norms, encoder_weights, encoder_tests",
)
_DISCARD_TOKEN_TABLE = (
    "truncate tokens, token_layers, training_texts",
    "update space set distilled_at = null, distilled_entries = null where distilled_at is not null",
)
_ANALYZE = "analyze encoder_characters, encoder_tokens, encoder_positions, encoder_norms, encoder_weights"

_INSERT = """
insert into encoder (
    layers, width, dimensions, max_tokens, longest_word, longest_piece, first_token, last_token, unknown_token,
    special_tokens, pooling, query_prompt, passage_prompt, source_digest, digest
)
values (
    %(layers)s, %(width)s, %(dimensions)s, %(max_tokens)s, %(longest_word)s, %(longest_piece)s, %(first_token)s,
    %(last_token)s, %(unknown_token)s, %(special_tokens)s, %(pooling)s, %(query_prompt)s, %(passage_prompt)s,
    %(source_digest)s, encoder_digest()
)
"""
_INSERT_TEST = "insert into encoder_tests (text, embedding) values (%s, %s)"
_CHECK = "select is_intact, similarity from check_encoder()"


def ensure_encoder(connection: Connection, space: Space, provider: Provider, *, anew: bool = False) -> str | None:
    """Store the weights of the space's model unless they are there; return why not, if they are not in the end.

    `anew` stores them even then, in place of what is there.

    Everything comes in one transaction, which ends with a comparison of some texts with the model itself: an
    interrupted run, or a model that SQL computes otherwise, leaves nothing behind.
    """
    if has_encoder(connection) and not anew:
        return None
    try:
        local, model = runnable_model(provider)
        if not _may_write(connection):
            return "only the owner of the space may store it"
        store_encoder(connection, space, local, model, anew=anew)
    except CannotRun as error:
        return error.message
    return None


def runnable_model(provider: Provider) -> tuple[LocalProvider, EncoderModel]:
    """Read the provider's model. Raises CannotRun with the reason if SQL cannot run it, or if it is not at hand."""
    folder = model_folder(provider)
    if folder is None:
        raise CannotRun("its weights are not on this machine")
    return cast(LocalProvider, provider), read_model(folder)


def store_encoder(
    connection: Connection, space: Space, provider: LocalProvider, model: EncoderModel, *, anew: bool = False
) -> None:
    """Store the model in the space, unless it is there and need not be stored anew.

    Raises CannotRun if SQL does not compute what the model does; nothing has changed then.
    """
    register_vector(connection)
    weights = Weights(model)
    exact = _unit_vectors(provider, TESTS)
    with connection.transaction():
        connection.execute(_LOCK)
        check_model(connection, space.model, space.dimensions)
        if not anew and connection.execute(_STORED).fetchone() == (True,):
            return
        for statement in _EMPTY:
            connection.execute(statement)
        _copy_model(connection, model, weights)
        connection.execute(_ANALYZE)
        connection.execute(_INSERT, {**_facts(space, model), **_prompts(provider)})
        for text, vector in zip(TESTS, exact, strict=True):
            connection.execute(_INSERT_TEST, [text, vector])
        _compare(connection)
        for statement in _DISCARD_TOKEN_TABLE:
            connection.execute(statement)


def has_encoder(connection: Connection) -> bool:
    """Return whether the space has the weights of its model; ends a transaction."""
    found = connection.execute(_STORED).fetchone()
    connection.commit()
    return found == (True,)


@dataclass(frozen=True, slots=True)
class EncoderState:
    """Whether the model in the space is as it came in, and how close it is to what it was then; None if not intact."""

    is_intact: bool
    similarity: float | None

    @property
    def is_right(self) -> bool:
        """Whether SQL gives the vectors of the model."""
        return self.is_intact and self.similarity is not None and self.similarity >= LEAST_COSINE


def encoder_state(connection: Connection) -> EncoderState:
    """Look at every number of the model in the space, and at the texts of the self-test."""
    is_intact, similarity = connection.execute(_CHECK).fetchone() or (False, None)
    return EncoderState(bool(is_intact), similarity)


def _may_write(connection: Connection) -> bool:
    found = connection.execute(_MAY_WRITE).fetchone()
    connection.commit()
    return found == (True,)


def _copy_model(connection: Connection, model: EncoderModel, weights: Weights) -> None:
    characters = changed_characters(model.tokenizer)
    units = model.layers * (5 * model.width + model.intermediate)
    rows = len(characters) + len(model.vocabulary) + model.max_tokens + 1 + 2 * model.layers + units
    with progress("Storing the model", rows, "rows") as shown:
        _copy(
            connection,
            _COPY_CHARACTERS,
            ["int4", "int4", "text", "bool"],
            ((c.first, c.last, c.becomes, c.is_word) for c in characters),
            shown,
        )
        _copy(connection, _COPY_TOKENS, ["text", "halfvec"], weights.tokens(), shown)
        _copy(connection, _COPY_POSITIONS, ["int8", "vector"], weights.positions(), shown)
        _copy(connection, _COPY_NORMS, ["int4", "text", "vector", "vector"], weights.norms(), shown)
        _copy(connection, _COPY_WEIGHTS, ["int4", "text", "int4", "int4", "float8", "halfvec"], weights.units(), shown)


def _copy(
    connection: Connection, statement: LiteralString, types: list[str], rows: Iterable[Sequence[Any]], shown: Progress
) -> None:
    with connection.cursor().copy(statement) as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row([_sent(value) for value in row])
            shown.advance(1)


def _sent(value: Any) -> Any:
    """Return a value as the driver sends it: numpy has a type for half precision, psycopg has none."""
    return HalfVector(value) if getattr(value, "dtype", None) == np.float16 else value


def _facts(space: Space, model: EncoderModel) -> dict[str, object]:
    return {
        "layers": model.layers,
        "width": model.width,
        "dimensions": space.dimensions,
        "max_tokens": model.max_tokens,
        "longest_word": model.longest_word,
        "longest_piece": max(map(len, model.vocabulary)),
        "first_token": model.first_token,
        "last_token": model.last_token,
        "unknown_token": model.unknown_token,
        "special_tokens": f"({'|'.join(map(re.escape, model.special_tokens))})",
        "pooling": model.pooling,
        "source_digest": source_digest(model.folder),
    }


def _prompts(provider: LocalProvider) -> dict[str, str]:
    prompts = provider.prompts
    return {"query_prompt": prompts["query"], "passage_prompt": prompts["document"]}


def _unit_vectors(provider: Provider, texts: Sequence[str]) -> NDArray[np.float32]:
    vectors = provider.embed_queries(texts)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _compare(connection: Connection) -> None:
    """Raise CannotRun unless SQL gives the texts of the self-test the vectors that the model itself gave them."""
    try:
        with connection.transaction():
            state = encoder_state(connection)
    except psycopg.errors.DataException as error:
        raise CannotRun(f"SQL cannot compute it: {error.diag.message_primary}") from error
    if state.similarity is None or not state.similarity >= LEAST_COSINE:
        raise CannotRun(f"its vectors in SQL have a cosine of {state.similarity} to its own, less than {LEAST_COSINE}")
