"""How far activity has outgrown what a space has learned from it."""

from __future__ import annotations

from pgaudience.database import Connection

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
    """Return whether nothing is learned yet, or there is a fifth more activity than then; ends a transaction."""
    found = connection.execute(_DUE).fetchone()
    connection.commit()
    return found == (True,)
