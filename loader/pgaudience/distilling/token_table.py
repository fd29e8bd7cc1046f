"""Build or refit the token table of a space."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import LiteralString

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector
from pgvector.psycopg import register_vector

from pgaudience.database import Connection, Space, check_model
from pgaudience.distilling.growth import growth
from pgaudience.distilling.refinement import EPOCHS, Layer, refine
from pgaudience.distilling.regression import Examples, fit, inverse_frequencies
from pgaudience.distilling.training import ENTRIES, embed_texts, missing_texts
from pgaudience.distilling.turns import take_turn
from pgaudience.distilling.vocabulary import create_vocabulary
from pgaudience.embedding.provider import Provider
from pgaudience.progress import progress

Matrix = NDArray[np.float32]

PIECES_COUNT = 0.3
"""How much a word counts as an example, and as its pieces, beside a text."""

_REMOVE_TOKENS = "delete from tokens t where not exists (select from vocabulary v where v.token = t.token)"
_ADD_TOKENS = "insert into tokens (token) select v.token from vocabulary v order by v.token on conflict do nothing"

_TOKENS = """
select v.token, v.frequency, x.embedding::vector
from vocabulary v
left join training_texts x on x.text = v.token
order by v.token
"""

_ENTRY_EXAMPLES = """
select tokenize(t.text), v.embedding
from entry_texts t
join entry_vectors v using (entry_key)
where t.is_current
order by t.text_hash, t.entry_key
limit %s
"""

_TEXT_EXAMPLES = """
select tokenize(x.text), x.embedding::vector
from training_texts x
"""

_PIECE_EXAMPLES = """
select split_word(v.token), x.embedding::vector
from vocabulary v
join training_texts x on x.text = v.token
where v.kind = 'word'
"""

_CREATE_FITTED = 'create temporary table fitted (token text collate "C", embedding vector) on commit drop'
_UPDATE = "update tokens t set embedding = f.embedding from fitted f where f.token = t.token"
_COPY_LAYERS = "copy token_layers (layer, unit, weights, bias) from stdin (format binary)"
_DISTILLED_AT = "select distilled_at from space"
_RECORD = """
update space
set distilled_at = clock_timestamp(), distilled_entries = %s
"""


def distillation_cost(connection: Connection, provider: Provider) -> tuple[int, int]:
    """Return how many texts a fit would embed now, and about how many tokens of the model they are."""
    texts = missing_texts(connection, provider)
    return len(texts), provider.count_tokens(texts) if texts else 0


def distill(connection: Connection, space: Space, provider: Provider) -> int:
    """Fit the token table to the space's model, and return how many tokens it has.

    What the model computes is committed batch by batch, so that an interrupted run goes on where it stopped; the table
    changes in one transaction at the end. Several runs of a space share the texts, and one of them makes the fit.

    Raises PgaudienceError when no entry has a vector yet, ProviderError when the model or its service is at fault.
    """
    register_vector(connection)
    (distilled_at,) = connection.execute(_DISTILLED_AT).fetchone() or (None,)
    entries = growth(connection).entries
    if texts := missing_texts(connection, provider):
        cost = f"{len(texts):,} texts, about {provider.count_tokens(texts):,} tokens for {space.model}"
        _say(f"For text queries in SQL alone: {cost}")
        embed_texts(connection, provider, texts)
    with connection.transaction():
        take_turn(connection, aloud=True)
        check_model(connection, space.model, space.dimensions)
        if connection.execute(_DISTILLED_AT).fetchone() != (distilled_at,):
            _say("Another process has distilled the space meanwhile")
            return _count(connection)
        create_vocabulary(connection)
        connection.execute("analyze vocabulary")
        connection.execute(_REMOVE_TOKENS)
        connection.execute(_ADD_TOKENS)
        tokens, fitted, layer = _fit(connection, space)
        _store(connection, tokens, fitted)
        _store_layer(connection, layer)
        connection.execute(_RECORD, [entries])
    _say(f"Distilled {space.model} into {len(tokens):,} tokens")
    return len(tokens)


def _count(connection: Connection) -> int:
    (tokens,) = connection.execute("select count(*) from tokens").fetchone() or (0,)
    return tokens


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201


def _fit(connection: Connection, space: Space) -> tuple[list[str], Matrix, Layer]:
    rows = connection.cursor(binary=True).execute(_TOKENS).fetchall()
    tokens = [row[0] for row in rows]
    nothing = np.zeros(space.dimensions, dtype=np.float32)
    initial = np.stack([nothing if row[2] is None else row[2].to_numpy() for row in rows])
    weights = inverse_frequencies(np.array([row[1] for row in rows], dtype=np.float32))
    with progress("Fitting", 1 + EPOCHS, "steps") as shown:
        examples = _examples(connection, {token: number for number, token in enumerate(tokens)})
        fitted = fit(examples, initial, weights)
        shown.advance(1)
        return tokens, *refine(examples, fitted, shown)


def _examples(connection: Connection, numbers: dict[str, int]) -> Examples:
    queries: list[tuple[LiteralString, list[object], float]] = [
        (_ENTRY_EXAMPLES, [ENTRIES], 1.0),
        (_TEXT_EXAMPLES, [], 1.0),
        (_PIECE_EXAMPLES, [], PIECES_COUNT),
    ]
    found = [
        (connection.cursor(binary=True).execute(statement, parameters).fetchall(), count)
        for statement, parameters, count in queries
    ]
    rows = [(row, count) for rows, count in found for row in rows if row[0]]
    return Examples(
        [[numbers[token] for token in row[0]] for row, _ in rows],
        np.stack([row[1].to_numpy() for row, _ in rows]).astype(np.float32),
        np.array([count for _, count in rows], dtype=np.float32),
    )


def _store(connection: Connection, tokens: Sequence[str], fitted: Matrix) -> None:
    connection.execute(_CREATE_FITTED)
    with connection.cursor().copy("copy fitted from stdin (format binary)") as copy:
        copy.set_types(["text", "vector"])
        for token, vector in zip(tokens, fitted, strict=True):
            copy.write_row((token, vector))
    connection.execute("analyze fitted")
    connection.execute(_UPDATE)


def _store_layer(connection: Connection, layer: Layer) -> None:
    """Store the layer as SQL reads it: its hidden units, then the units that see them, one for each dimension."""
    connection.execute("delete from token_layers")
    nothing = np.zeros(len(layer.output), dtype=np.float32)
    with connection.cursor().copy(_COPY_LAYERS) as copy:
        copy.set_types(["int2", "int4", "halfvec", "float4"])
        for number, (weights, bias) in enumerate(((layer.input, layer.bias), (layer.output, nothing)), start=1):
            for unit, row in enumerate(weights):
                copy.write_row((number, unit + 1, HalfVector(row), float(bias[unit])))
