"""Build or refit the token table of a space."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, LiteralString

import numpy as np
import psycopg
from numpy.typing import NDArray
from pgvector.psycopg import register_vector

from pgaudience.database import Space
from pgaudience.distilling.regression import ROUNDS, Examples, fit, inverse_frequencies
from pgaudience.distilling.synthetic import TEXTS, SyntheticTexts
from pgaudience.distilling.vocabulary import create_vocabulary
from pgaudience.embedding.each import embed_each
from pgaudience.embedding.provider import Provider
from pgaudience.errors import PgaudienceError
from pgaudience.progress import progress

Connection = psycopg.Connection[tuple[Any, ...]]
Matrix = NDArray[np.float32]

PIECES_COUNT = 0.3
"""How much a word counts as an example, and as its pieces, beside a text."""

ENTRIES = 50_000
"""The entries that are looked at; of more, a sample that stays the same."""

_LOCK = "select pg_advisory_xact_lock(hashtextextended('pgaudience distill ' || current_schema(), 0))"

_ENTRIES = """
select e.entry
from entries e
join entry_vectors v using (entry_key)
order by md5(e.entry)
limit %s
"""

_WORDS = """
select v.token, v.kind, v.frequency, v.in_entries
from vocabulary v
where v.kind <> 'piece'
order by v.token
"""

_KNOWN = "select t.text from training_texts t where t.text = any (%s)"

_STORE = """
insert into training_texts (text, embedding) values (%s, %s)
on conflict (text) do nothing
"""

_REMOVE_TOKENS = "delete from tokens t where not exists (select from vocabulary v where v.token = t.token)"
_ADD_TOKENS = "insert into tokens (token) select v.token from vocabulary v order by v.token on conflict do nothing"

_TOKENS = """
select v.token, v.frequency, x.embedding::vector
from vocabulary v
left join training_texts x on x.text = v.token
order by v.token
"""

_ENTRY_EXAMPLES = """
select tokenize(e.entry), v.embedding
from entries e
join entry_vectors v using (entry_key)
order by md5(e.entry)
limit %s
"""

_TEXT_EXAMPLES = """
select tokenize(x.text), x.embedding::vector
from training_texts x
where x.text = any (%s)
"""

_PIECE_EXAMPLES = """
select split_word(v.token), x.embedding::vector
from vocabulary v
join training_texts x on x.text = v.token
where v.kind = 'word'
"""

_CREATE_FITTED = 'create temporary table fitted (token text collate "C", embedding vector) on commit drop'
_UPDATE = "update tokens t set embedding = f.embedding from fitted f where f.token = t.token"
_RECORD = """
update space
set distilled_at = clock_timestamp(), distilled_entries = (select count(*) from entry_vectors)
"""


def distillation_cost(connection: Connection, provider: Provider) -> tuple[int, int]:
    """Return how many texts a fit would embed now, and about how many tokens of the model they are."""
    texts = _missing(connection, _training_texts(connection))
    return len(texts), provider.count_tokens(texts) if texts else 0


def distill(connection: Connection, space: Space, provider: Provider) -> int:
    """Fit the token table to the space's model, and return how many tokens it has.

    What the model computes is committed batch by batch, so that an interrupted run goes on where it stopped; the table
    changes in one transaction at the end.

    Raises PgaudienceError when no entry has a vector yet, ProviderError when the model or its service is at fault.
    """
    register_vector(connection)
    texts = _training_texts(connection)
    _embed(connection, provider, _missing(connection, texts))
    with connection.transaction():
        connection.execute(_LOCK)
        create_vocabulary(connection)
        connection.execute("analyze vocabulary")
        connection.execute(_REMOVE_TOKENS)
        connection.execute(_ADD_TOKENS)
        tokens, fitted = _fit(connection, space, texts)
        _store(connection, tokens, fitted)
        connection.execute(_RECORD)
    print(f"Distilled {space.model} into {len(tokens):,} tokens", file=sys.stderr)  # noqa: T201
    return len(tokens)


def _training_texts(connection: Connection) -> list[str]:
    """Return the words and the synthetic texts of the fit; ends its own transaction, and the temporary tables in it."""
    entries = [row[0] for row in connection.execute(_ENTRIES, [ENTRIES]).fetchall()]
    if not entries:
        raise PgaudienceError("no entry has a vector yet", "Embed them: pgaudience embed")
    create_vocabulary(connection)
    rows = connection.execute(_WORDS).fetchall()
    connection.rollback()
    words = [(token, frequency) for token, kind, frequency, _ in rows if kind == "word"]
    entry_words = [token for token, kind, _, in_entries in rows if kind == "word" and in_entries]
    synthetic = SyntheticTexts(entries, entry_words or [words[0][0]], words).draw(TEXTS)
    return list(dict.fromkeys([token for token, *_ in rows] + synthetic))


def _missing(connection: Connection, texts: Sequence[str]) -> list[str]:
    known = {row[0] for row in connection.execute(_KNOWN, [list(texts)]).fetchall()}
    connection.rollback()
    return sorted((text for text in texts if text not in known), key=lambda text: (-len(text), text))


def _embed(connection: Connection, provider: Provider, texts: Sequence[str]) -> None:
    if not texts:
        return
    with progress("Distilling", len(texts), "texts") as shown:
        for first in range(0, len(texts), provider.batch_size):
            batch = texts[first : first + provider.batch_size]
            result = embed_each(provider, batch, queries=True)
            with connection.transaction(), connection.cursor() as cursor:
                cursor.executemany(
                    _STORE, [(batch[at], vector) for at, vector in zip(result.kept, result.vectors, strict=True)]
                )
            shown.advance(len(batch))


def _fit(connection: Connection, space: Space, texts: Sequence[str]) -> tuple[list[str], Matrix]:
    rows = connection.cursor(binary=True).execute(_TOKENS).fetchall()
    tokens = [row[0] for row in rows]
    nothing = np.zeros(space.dimensions, dtype=np.float32)
    initial = np.stack([nothing if row[2] is None else row[2].to_numpy() for row in rows])
    weights = inverse_frequencies(np.array([row[1] for row in rows], dtype=np.float32))
    with progress("Fitting", 2 * ROUNDS, "steps") as shown:
        examples = _examples(connection, {token: number for number, token in enumerate(tokens)}, texts)
        return tokens, fit(examples, initial, weights, shown)


def _examples(connection: Connection, numbers: dict[str, int], texts: Sequence[str]) -> Examples:
    queries: list[tuple[LiteralString, list[object], float]] = [
        (_ENTRY_EXAMPLES, [ENTRIES], 1.0),
        (_TEXT_EXAMPLES, [list(texts)], 1.0),
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
