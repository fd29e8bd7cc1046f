"""How far activity has outgrown what a space has learned from it."""

from __future__ import annotations

from pgaudience.database import Connection
from pgaudience.embedding.registry import ATTRIBUTES, TFIDF, VECTORS
from pgaudience.learning.attributes import attributes_due
from pgaudience.learning.blend import parts_are_newer

_DUE = """
select a.pairs > 0 and (
    s.trained_at is null
    or a.pairs >= 1.2 * s.trained_pairs
    or not exists (select from entry_vectors)
)
from space s
cross join (select count(*) as pairs from activity) a
"""

_DUE_FOR_TERMS = """
select e.entries > 0 and (
    s.trained_at is null
    or e.entries >= 1.2 * s.trained_pairs
    or not exists (select from tokens)
)
from space s
cross join (select count(*) as entries from entries) e
"""


def training_due(connection: Connection) -> bool:
    """Return whether nothing is learned yet, or there is a fifth more activity than then; ends a transaction.

    A blend is due when a part has newer vectors, too; a space of attributes, when there are a fifth more users; one of
    tfidf, when there are a fifth more entries; one of vectors made elsewhere, never.
    """
    (model,) = connection.execute("select model from space").fetchone() or ("",)
    if model == VECTORS:
        due = False
    elif model == ATTRIBUTES:
        due = attributes_due(connection)
    elif model == TFIDF:
        due = connection.execute(_DUE_FOR_TERMS).fetchone() == (True,)
    else:
        due = parts_are_newer(connection) or connection.execute(_DUE).fetchone() == (True,)
    connection.commit()
    return due
