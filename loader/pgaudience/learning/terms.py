"""Words and pairs of words as a token table: TF-IDF and its singular vectors, which is linear, so that SQL is exact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector

from pgaudience.database import Connection
from pgaudience.learning.factors import rotate_onto, unit
from pgaudience.progress import progress

Sparse = Any  # scipy.sparse.csr_matrix, which has no types
Matrix = NDArray[np.float64]

MOST_TERMS = 100_000
"""Of more words and pairs, those in most entries are in the table."""

_TEXTS = "select t.entry_key, text_terms(t.text) from entry_texts t order by t.entry_key"
_FORMER = "select entry_key, embedding from entry_vectors"
_COPY = "copy tokens (token, embedding) from stdin (format binary)"


@dataclass(frozen=True, slots=True)
class Texts:
    """`counts`, shape (entries, terms), is how often a term is in the text of an entry; terms are in their order."""

    entry_keys: NDArray[np.int64]
    terms: list[str]
    counts: Sparse


def read_texts(connection: Connection) -> Texts:
    """Read the words and pairs of all entries."""
    from scipy import sparse  # pyright: ignore[reportMissingTypeStubs]

    numbers: dict[str, int] = {}
    keys, indices, bounds = list[int](), list[int](), [0]
    with progress("Reading texts", None, "entries") as shown, connection.cursor() as cursor:
        for key, terms in cursor.stream(_TEXTS):
            keys.append(key)
            indices += [numbers.setdefault(term, len(numbers)) for term in terms]
            bounds.append(len(indices))
            shown.advance(1)
    shape = len(keys), len(numbers)
    counts = cast(Any, sparse).csr_matrix((np.ones(len(indices)), indices, bounds), shape=shape)
    counts.sum_duplicates()
    names, held = list(numbers), np.bincount(counts.indices, minlength=len(numbers))
    chosen = sorted(range(len(names)), key=lambda at: (-held[at], names[at]))[:MOST_TERMS]
    chosen.sort(key=names.__getitem__)
    return Texts(np.array(keys, dtype=np.int64), [names[at] for at in chosen], counts[:, chosen])


def fit_terms(counts: Sparse, dimensions: int) -> tuple[Matrix, Matrix]:
    """Return the vector of each term, shape (terms, dimensions), and of each text, shape (texts, dimensions).

    A text is the sum of its terms, at unit length. A term is its inverse document frequency,
    ln((1 + texts) / (1 + texts that have it)) + 1, times its right singular vector of the TF-IDF matrix with rows of
    unit length: latent semantic analysis, Deerwester et al. (1990). The coordinate that is largest in a column is
    positive.
    """
    from scipy import sparse  # pyright: ignore[reportMissingTypeStubs]
    from scipy.sparse import linalg  # pyright: ignore[reportMissingTypeStubs]

    diagonal = cast(Any, sparse).diags

    texts, terms = counts.shape
    inverse = np.log((1 + texts) / (1 + np.bincount(counts.indices, minlength=terms))) + 1
    weighted = counts @ diagonal(inverse)
    lengths = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    weighted = diagonal(1 / np.where(lengths > 0, lengths, 1)) @ weighted
    count = min(dimensions, texts, terms)
    if count < min(texts, terms):
        _, values, right = cast(Any, linalg).svds(weighted, k=count, v0=np.ones(min(texts, terms)))
        right = right[np.argsort(-values, kind="stable")]
    else:
        right = np.linalg.svd(weighted.toarray(), full_matrices=False)[2][:count]
    axes = np.pad(right.T, ((0, 0), (0, dimensions - count)))
    largest = axes[np.abs(axes).argmax(axis=0), np.arange(dimensions)]
    axes = axes * np.where(largest < 0, -1, 1)
    return axes * inverse[:, None], unit(weighted @ axes)


def keep_axes(connection: Connection, texts: Texts, terms: Matrix, vectors: Matrix) -> tuple[Matrix, float | None]:
    """Turn the terms so that the vectors of texts come closest to those that entries have, and say how close."""
    former = {key: vector.to_numpy() for key, vector in connection.cursor(binary=True).execute(_FORMER).fetchall()}
    common = np.array([at for at, key in enumerate(texts.entry_keys.tolist()) if key in former], dtype=np.intp)
    if not len(common):
        return terms, None
    before = np.array([former[key] for key in texts.entry_keys[common].tolist()], dtype=np.float64)
    turned = rotate_onto(np.vstack([vectors, terms]), before, common)
    kept = np.einsum("ij,ij->i", turned[common], before).mean()
    return turned[len(vectors) :], float(kept)


def store_terms(connection: Connection, terms: list[str], vectors: Matrix) -> None:
    """Put these in place of the token table."""
    connection.execute("delete from tokens")
    with connection.cursor().copy(_COPY) as copy:
        copy.set_types(["text", "halfvec"])
        for term, vector in zip(terms, vectors.astype(np.float32), strict=True):
            copy.write_row((term, HalfVector(vector)))
    connection.execute("analyze tokens")
