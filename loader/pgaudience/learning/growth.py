"""How far activity has outgrown what a space has learned from it."""

from __future__ import annotations

from pgaudience.database import Connection
from pgaudience.embedding.registry import ATTRIBUTES, VECTORS
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


def training_due(connection: Connection) -> bool:
    """Return whether nothing is learned yet, or there is a fifth more activity than then; ends a transaction.

    A blend is due when a part has newer vectors, too; a space of attributes, when there are a fifth more users; one of
    vectors made elsewhere, never.
    """
    (model,) = connection.execute("select model from space").fetchone() or ("",)
    if model == VECTORS:
        due = False
    elif model == ATTRIBUTES:
        due = attributes_due(connection)
    else:
        due = parts_are_newer(connection) or connection.execute(_DUE).fetchone() == (True,)
    connection.commit()
    return due
