"""Who has what: read from the database in blocks, some ten bytes a pair."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from pgaudience.database import Connection
from pgaudience.progress import progress

Sparse = Any  # scipy.sparse.csr_matrix, which has no types
Keys = NDArray[np.int64]
Columns = NDArray[np.int32]
Starts = NDArray[np.bool_]

MOST_ENTRIES = 100_000
"""Of more entries, those with most users are learned."""

LEAST_USERS = 2
"""What a single user has says nothing of what goes together."""

MOST_PRODUCTS = 4_000_000_000
"""The pairs of entries, over all users, that are counted at most: what the time of a fit grows with."""

LEAST_SIZE = 20
"""No basket is cut to less."""

_BLOCK_BYTES = 32 * 2**20

_ENTRIES = """
select a.entry_key
from activity a
group by a.entry_key
having count(*) >= %s
order by count(*) desc, a.entry_key
limit %s
"""

_PAIRS = (
    "copy (select a.user_key, a.entry_key from activity a order by a.user_key, a.entry_key) to stdout (format binary)"
)

# A row of that, as PostgreSQL documents its binary format; before the first come 19 bytes, after the last 2.
_ROW = np.dtype([("fields", ">i2"), ("_1", ">i4"), ("user", ">i8"), ("_2", ">i4"), ("entry", ">i8")])
_HEADER_BYTES = 19
_TRAILER_BYTES = 2


@dataclass(frozen=True, slots=True)
class Baskets:
    """`matrix` is 1 where a user, a row, has an entry, a column; `entry_keys` are those of the columns, ascending."""

    entry_keys: Keys
    matrix: Sparse
    pairs: int
    """All pairs of user and entry, also of entries that are not among the columns."""

    @property
    def users(self) -> int:
        """How many users have anything that is counted."""
        return int(self.matrix.shape[0])

    @property
    def median(self) -> float:
        """The median number of entries of a user."""
        return float(np.median(np.diff(self.matrix.indptr))) if self.users else 0.0


def read_baskets(connection: Connection) -> Baskets:
    """Read who has what; users with so much that their pairs would take forever count with a sample of it."""
    from scipy import sparse  # pyright: ignore[reportMissingTypeStubs]

    keys = np.array(
        [row[0] for row in connection.execute(_ENTRIES, [LEAST_USERS, MOST_ENTRIES]).fetchall()], dtype=np.int64
    )
    keys.sort()
    columns: list[Columns] = []
    starts: list[Starts] = []
    pairs = 0
    former = -1
    with progress("Reading activity", None, "pairs") as shown:
        for block in _blocks(connection):
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


def _blocks(connection: Connection) -> Iterator[NDArray[np.void]]:
    """Yield the rows of users and entries, ordered by them, as PostgreSQL sends them."""
    waiting = bytearray()
    skip = _HEADER_BYTES
    with connection.cursor().copy(_PAIRS) as copy:
        for chunk in copy:
            waiting += chunk
            if len(waiting) >= _BLOCK_BYTES:
                end = skip + (len(waiting) - skip - _TRAILER_BYTES) // _ROW.itemsize * _ROW.itemsize
                yield np.frombuffer(bytes(waiting[skip:end]), dtype=_ROW)
                del waiting[:end]
                skip = 0
    yield np.frombuffer(bytes(waiting[skip:-_TRAILER_BYTES]), dtype=_ROW)


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
