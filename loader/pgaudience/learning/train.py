"""Learn the vectors of a space from what its people have, and store them."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pgvector.psycopg import register_vector

from pgaudience.database import Connection, Space, check_model
from pgaudience.embedding.registry import ATTRIBUTES, BLEND, TFIDF, VECTORS
from pgaudience.errors import PgaudienceError
from pgaudience.learning.attributes import Described, fit_attributes
from pgaudience.learning.baskets import LEAST_USERS, Baskets, read_baskets
from pgaudience.learning.factors import factorize, rotate_onto, unit
from pgaudience.learning.ppmi import positive_pmi
from pgaudience.learning.terms import fit_terms, keep_axes, read_texts, store_terms

Matrix = NDArray[np.float64]
Keys = NDArray[np.int64]

FEW_ENTRIES = 15
"""Where the median user has fewer, such vectors tell people apart worse than those of texts: see docs/spaces.md."""

_LOCK = "select pg_try_advisory_xact_lock(hashtextextended('pgaudience train ' || current_schema(), 0))"
_POLICIES = "select smoothing, shift, basket from space"
_CREATE_LEARNED = "create temporary table learned (entry_key bigint primary key, embedding vector) on commit drop"
_COPY_LEARNED = "copy learned (entry_key, embedding) from stdin (format binary)"

_REMOVE_FORMER = "delete from entry_vectors v where not exists (select from learned l where l.entry_key = v.entry_key)"

# Whoever deletes an entry now waits, and takes its vector along.
_STORE = """
insert into entry_vectors (entry_key, embedding)
select e.entry_key, l.embedding
from learned l
join entries e using (entry_key)
order by e.entry_key
on conflict (entry_key) do update
set embedding = excluded.embedding, embedded_at = clock_timestamp()
"""

_FORGET_FAILURES = "delete from entry_failures"
_RECORD_FAILURES = """
insert into entry_failures (entry_key, error)
select e.entry_key, %s
from entries e
where not exists (select from learned l where l.entry_key = e.entry_key)
order by e.entry_key
"""
_COPY_BLENDED = "insert into learned (entry_key, embedding) select entry_key, embedding from blended_vectors()"
_SET_OUTCOME = "update space set outcome = nullif(%s, ''), outcome_value = nullif(%s, '')"
_COUNTS = "select count(distinct user_key), count(*) from activity"
_IN_NO_PART = "No part of the blend has a vector of it."
_NOT_ATTRIBUTES = "The space is made of attributes of users."
_NO_COMPANY = "No two users have it, or nothing goes together with it oftener than by chance."
_RECORD = "update space set trained_at = clock_timestamp(), trained_pairs = %s"


@dataclass(frozen=True, slots=True)
class Trained:
    """What a fit has learned from and made; `basket` is user or session, `median` how many entries one of them has.

    `kept` is the mean cosine of vectors to those of the last fit, if any. Of a blend, `median` is a mean.
    """

    basket: str
    baskets: int
    pairs: int
    median: float
    entries: int
    without: int
    kept: float | None


def learn(connection: Connection, space: Space, outcome: str | None = None) -> Trained | Described:
    """Learn what the space is made of, behaviour or attributes, in one transaction, and say what was done.

    Raises PgaudienceError, with nothing changed, as `train` and `train_attributes` do, and for vectors made elsewhere.
    """
    if space.model == VECTORS:
        raise PgaudienceError(
            f"the vectors of {space.schema!r} are made elsewhere", "Make them anew there, then: load --vectors FILE"
        )
    if space.model == ATTRIBUTES:
        return train_attributes(connection, space, outcome)
    if outcome is not None:
        raise PgaudienceError(
            f"an outcome arranges attributes; the space {space.schema!r} is one of {space.model}",
            f"Make a space of attributes: migrate --of {space.base or space.schema} --model attributes",
        )
    return train(connection, space)


def train_attributes(connection: Connection, space: Space, outcome: str | None = None) -> Described:
    """Find the axes of users' attributes, in one transaction, and say what was done.

    They are arranged by an `outcome`, written as an attribute or as attribute=value, from now on; by none if blank.

    Raises PgaudienceError, with nothing changed, when nothing tells users apart, or another process is at it.
    """
    with connection.transaction():
        _take_turn(connection, space)
        if outcome is not None:
            name, _, value = outcome.partition("=")
            connection.execute(_SET_OUTCOME, [name, value])
        done = fit_attributes(connection)
        connection.execute(_CREATE_LEARNED)
        _replace(connection, _NOT_ATTRIBUTES)
        connection.execute(_RECORD, [done.users])
    _report_attributes(space, done)
    return done


def train(connection: Connection, space: Space) -> Trained:
    """Fit the vectors of the entries to who has them, in one transaction, and say what was done.

    A refit is turned onto the last one, so that vectors and centroids that were kept elsewhere still mean the same.

    A blend is put together anew from its parts; tfidf reads the texts of the entries.

    Raises PgaudienceError, with nothing changed, when there is nothing to learn from, or another process is at it.
    """
    register_vector(connection)
    with connection.transaction():
        _take_turn(connection, space)
        if space.model == BLEND:
            return _blend(connection, space)
        if space.model == TFIDF:
            return _weigh_terms(connection, space)
        smoothing, shift, basket = connection.execute(_POLICIES).fetchone() or (0.75, 0.0, "user")
        baskets = read_baskets(connection, of_sessions=basket == "session")
        _check(baskets, basket)
        keys, vectors = _fit(baskets, space.dimensions, smoothing, shift)
        vectors, kept = _turn(connection, keys, vectors)
        without = _store(connection, keys, vectors)
        _, pairs = connection.execute(_COUNTS).fetchone() or (0, 0)
        connection.execute(_RECORD, [pairs])
    done = Trained(basket, baskets.count, baskets.pairs, baskets.median, len(keys), without, kept)
    _report(space, done)
    return done


def _take_turn(connection: Connection, space: Space) -> None:
    if connection.execute(_LOCK).fetchone() != (True,):
        raise PgaudienceError(f"another process is training the space {space.schema!r}", "Wait for it to end.")
    check_model(connection, space.model, space.dimensions)


def _check(baskets: Baskets, basket: str) -> None:
    if basket == "session" and not baskets.pairs:
        raise PgaudienceError(
            "there is nothing to learn from: the space learns from sessions, and there are none",
            "Load them: load --session COLUMN; or learn from users: update space set basket = 'user';",
        )
    if baskets.count < LEAST_USERS or not (np.diff(baskets.matrix.indptr) > 1).any():
        raise PgaudienceError(
            f"there is nothing to learn from: no two {basket}s have an entry in common, or none of them has two",
            "A space of behaviour needs users with several entries each; a text model needs none.",
        )


def _fit(baskets: Baskets, dimensions: int, smoothing: float, shift: float) -> tuple[Keys, Matrix]:
    cells = positive_pmi(baskets.matrix, smoothing, shift)
    if cells.nnz == 0:
        raise PgaudienceError(
            "there is nothing to learn from: no two entries are had together oftener than by chance",
            "See how few users have several entries: select entries, count(*) from user_vectors group by 1;"
            if shift <= 0
            else "Lower what is asked of pairs: update space set shift = 0;",
        )
    vectors = factorize(cells, dimensions)
    has_vector = np.abs(vectors).max(axis=1) > 0
    return baskets.entry_keys[has_vector], vectors[has_vector]


def _turn(connection: Connection, keys: Keys, vectors: Matrix) -> tuple[Matrix, float | None]:
    """Turn the vectors onto the former ones of the same entries, and say how well they keep to them."""
    rows = connection.cursor(binary=True).execute("select entry_key, embedding from entry_vectors").fetchall()
    former = {int(key): vector.to_numpy() for key, vector in rows}
    common = np.array([at for at, key in enumerate(keys.tolist()) if key in former], dtype=np.intp)
    if not len(common):
        return vectors, None
    before = np.array([former[key] for key in keys[common].tolist()], dtype=np.float64)
    turned = unit(rotate_onto(vectors, before, common))
    return turned, float(np.einsum("ij,ij->i", turned[common], before).mean())


def _store(connection: Connection, keys: Keys, vectors: Matrix) -> int:
    """Put the vectors in place of the former ones, and return how many entries have none."""
    connection.execute(_CREATE_LEARNED)
    with connection.cursor().copy(_COPY_LEARNED) as copy:
        copy.set_types(["int8", "vector"])
        for key, vector in zip(keys.tolist(), vectors.astype(np.float32), strict=True):
            copy.write_row((key, vector))
    return _replace(connection, _NO_COMPANY)


def _replace(connection: Connection, why_without: str) -> int:
    """Put what is learned in place of what was, and return how many entries have nothing."""
    connection.execute("analyze learned")
    connection.execute(_REMOVE_FORMER)
    connection.execute(_STORE)
    connection.execute(_FORGET_FAILURES)
    return connection.execute(_RECORD_FAILURES, [why_without]).rowcount


def _blend(connection: Connection, space: Space) -> Trained:
    connection.execute(_CREATE_LEARNED)
    entries = connection.execute(_COPY_BLENDED).rowcount
    if not entries:
        raise PgaudienceError("no part of the blend has vectors yet", "Bring all up to date: pgaudience refresh --all")
    without = _replace(connection, _IN_NO_PART)
    users, pairs = connection.execute(_COUNTS).fetchone() or (0, 0)
    connection.execute(_RECORD, [pairs])
    _say(f"Space {space.schema}: blended {entries:,} vectors of {space.dimensions} dimensions")
    return Trained("user", users, pairs, pairs / max(users, 1), entries, without, None)


def _weigh_terms(connection: Connection, space: Space) -> Trained:
    texts = read_texts(connection)
    if not texts.terms:
        raise PgaudienceError("there is nothing to learn from: no entry has a word", "Load some: pgaudience load FILE")
    terms, vectors = fit_terms(texts.counts, space.dimensions)
    terms, kept = keep_axes(connection, texts, terms, vectors)
    store_terms(connection, texts.terms, terms)
    (stored,) = connection.execute("select embed_by_terms(anew => true)").fetchone() or (0,)
    connection.execute(_RECORD, [len(texts.entry_keys)])
    _say(
        f"Space {space.schema}: {stored:,} vectors of {space.dimensions} dimensions"
        f" from {len(texts.terms):,} words and pairs of words"
    )
    users, pairs = connection.execute(_COUNTS).fetchone() or (0, 0)
    without = len(texts.entry_keys) - stored
    return Trained("user", users, pairs, pairs / max(users, 1), stored, without, kept)


def _report(space: Space, done: Trained) -> None:
    kept = "" if done.kept is None else f"; cosine to those of the last fit {done.kept:.2f} on average"
    _say(
        f"Space {space.schema}: learned {done.entries:,} vectors from {done.pairs:,} pairs"
        f" of {done.baskets:,} {done.basket}s and their entries{kept}"
    )
    if done.without:
        _say(f"{done.without:,} entries have no vector: nothing is known of what goes together with them")
    if done.median < FEW_ENTRIES:
        _say(
            f"The median {done.basket} has {done.median:g} entries, which is few to learn from:"
            " compare with the space of texts before you rely on it"
        )


def _report_attributes(space: Space, done: Described) -> None:
    values = sum(done.categories.values())
    _say(
        f"Space {space.schema}: {len(done.numbers):,} attributes of numbers and {len(done.categories):,} of categories,"
        f" which have {values:,} values; of {done.users:,} users"
    )
    if done.left_out:
        _say(f"Left out, as they tell nobody apart or have no room: {', '.join(done.left_out)}")
    if done.rare:
        _say(
            f"{done.rare:,} values count as missing: one user alone has them, or there is no axis left"
            " (migrate another space with more --dimensions)"
        )
    _say("A missing number counts as the mean; a missing category is as unlike to every category, by half")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201
