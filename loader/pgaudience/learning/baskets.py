"""Who has what: read from the database in blocks, some ten bytes a pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from psycopg.sql import SQL

from pgaudience.database import Connection, read_blocks
from pgaudience.progress import progress

Sparse = Any  # scipy.sparse.csr_matrix, which has no types
Keys = NDArray[np.int64]
Columns = NDArray[np.int32]
Starts = NDArray[np.bool_]

MOST_ENTRIES = 100_000
"""Of more entries, those with most users are learned."""

LEAST_USERS = 2
"""What a single basket holds says nothing of what goes together."""

MOST_PRODUCTS = 4_000_000_000
"""The pairs of entries, over all users, that are counted at most: what the time of a fit grows with."""

LEAST_SIZE = 20
"""No basket is cut to less."""

_ENTRIES = """
select a.entry_key
from activity a
group by a.entry_key
having count(*) >= %s
order by count(*) desc, a.entry_key
limit %s
"""

_PAIRS = SQL("select a.user_key, a.entry_key from activity a order by a.user_key, a.entry_key")

_ENTRIES_OF_SESSIONS = """
select k.entry_key
from sessions s
cross join unnest(s.entry_keys) k (entry_key)
join entries e using (entry_key)
group by k.entry_key
having count(*) >= %s
order by count(*) desc, k.entry_key
limit %s
"""

_PAIRS_OF_SESSIONS = SQL("""
select s.number, k.entry_key
from (
    select row_number() over (order by s.user_key, s.session_id) as number, s.entry_keys
    from sessions s
) s
cross join unnest(s.entry_keys) k (entry_key)
order by s.number
""")

# A row of that, as PostgreSQL documents its binary format.
_ROW = np.dtype([("fields", ">i2"), ("_1", ">i4"), ("user", ">i8"), ("_2", ">i4"), ("entry", ">i8")])


@dataclass(frozen=True, slots=True)
class Baskets:
    """`matrix` is 1 where a basket, a row, has an entry, a column; `entry_keys` are those of the columns, ascending.

    A basket is what a user has, or what was in a session.
    """

    entry_keys: Keys
    matrix: Sparse
    pairs: int
    """All pairs of basket and entry, also of entries that are not among the columns."""

    @property
    def count(self) -> int:
        """How many baskets have anything that is counted."""
        return int(self.matrix.shape[0])

    @property
    def median(self) -> float:
        """The median number of entries of a basket."""
        return float(np.median(np.diff(self.matrix.indptr))) if self.count else 0.0


def read_baskets(connection: Connection, *, of_sessions: bool = False) -> Baskets:
    """Read who has what, or what was in which session; of what is too large for its pairs to be counted, a sample."""
    from scipy import sparse  # pyright: ignore[reportMissingTypeStubs]

    keys = np.array(
        [
            row[0]
            for row in connection.execute(
                _ENTRIES_OF_SESSIONS if of_sessions else _ENTRIES, [LEAST_USERS, MOST_ENTRIES]
            ).fetchall()
        ],
        dtype=np.int64,
    )
    keys.sort()
    columns: list[Columns] = []
    starts: list[Starts] = []
    pairs = 0
    former = -1
    with progress("Reading activity", None, "pairs") as shown:
        for block in read_blocks(connection, _PAIRS_OF_SESSIONS if of_sessions else _PAIRS, _ROW):
            known = np.isin(block["entry"], keys)
            users = block["user"][known].astype(np.int64)
            columns.append(np.searchsorted(keys, block["entry"][known]).astype(np.int32))
            starts.append(np.diff(users, prepend=former) != 0)
            former = int(users[-1]) if len(users) else former
            pairs += len(block)
            shown.advance(len(block))
    indices = np.concatenate([np.zeros(0, np.int32), *columns])
    firsts = np.flatnonzero(np.concatenate([np.zeros(0, np.bool_), *starts]))
    indices, bounds = _trim(indices, np.append(firsts, len(indices)))
    values = np.ones(len(indices), dtype=np.float32)
    matrix = cast(Sparse, sparse).csr_matrix((values, indices, bounds), shape=(len(bounds) - 1, len(keys)))
    return Baskets(keys, matrix, pairs)


def _trim(indices: Columns, bounds: Keys) -> tuple[Columns, Keys]:
    """Cut the baskets to one size, of the largest first, until their pairs are few enough; which are left is random."""
    sizes = np.diff(bounds)
    most = int(sizes.max(initial=0))
    while most > LEAST_SIZE and float(np.square(np.minimum(sizes, most), dtype=np.float64).sum()) > MOST_PRODUCTS:
        most = max(most * 9 // 10, LEAST_SIZE)
    if most == sizes.max(initial=0):
        return indices, bounds
    random = np.random.default_rng(0)
    kept = [
        np.sort(random.choice(indices[first:last], most, replace=False)) if last - first > most else indices[first:last]
        for first, last in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)
    ]
    return np.concatenate(kept), np.concatenate([[0], np.minimum(sizes, most).cumsum()])
