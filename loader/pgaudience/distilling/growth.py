"""How far the entries have outgrown the token table."""

from __future__ import annotations

from dataclasses import dataclass

from pgaudience.database import Connection

_DUE = """
select v.entries > 0 and (
    s.distilled_at is null
    or v.entries >= 1.2 * s.distilled_entries
    or not exists (select from tokens)
)
from space s
cross join (select count(*) as entries from entry_texts t where t.is_current) v
"""

_GROWTH = """
select coalesce(s.distilled_entries, 0), v.entries
from space s
cross join (select count(*) as entries from entry_texts t where t.is_current) v
"""


@dataclass(frozen=True, slots=True)
class Growth:
    """How many entries had the vector of their text at the last fit, 0 before the first, and how many have it now."""

    distilled: int
    entries: int

    @property
    def new(self) -> int:
        """The entries that came since; 0 when there are fewer now."""
        return max(self.entries - self.distilled, 0)


def distillation_due(connection: Connection) -> bool:
    """Return whether there is no token table yet, or a fifth more entries than it was fitted to; ends a transaction."""
    found = connection.execute(_DUE).fetchone()
    connection.commit()
    return found == (True,)


def growth(connection: Connection) -> Growth:
    """Return how the entries have grown since the last fit."""
    return Growth(*(connection.execute(_GROWTH).fetchone() or (0, 0)))
