"""The searches that are compared, and what each finds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from pgaudience.refresh import refresh

Connection = psycopg.Connection[tuple[Any, ...]]
Vectors = NDArray[np.float32]

_WEIGH = "update space set weighting = %s"

_COUNT = "select count(*) from user_vectors"

# In the order of search_users, which would also look up matched entries.
_RANK = """
select array_agg(r.user_id order by r.score desc, r.cosine desc, r.user_id)
from (
    select array_agg(a.entry_key) as entry_keys, array_agg(a.excess) as excesses
    from admitted_entries(%(query)s) a
) a
cross join rank_users(
    %(query)s, a.entry_keys, a.excesses, %(k)s, '{}', %(mode)s, %(breadth)s, %(evidence_weight)s, 1, true
) r
"""

_SEARCH = """
select array_agg(s.user_id order by s.rank)
from search_users(
    %(query)s, k => %(k)s, mode => %(mode)s, breadth => %(breadth)s, evidence_weight => %(evidence_weight)s
) s
"""


@dataclass(frozen=True, slots=True)
class Search:
    """One way to search; None is what the space does by itself."""

    name: str
    weighting: str = "log"
    mode: str = "hybrid"
    breadth: float | None = None
    evidence_weight: float | None = None


BASELINE = Search("frequency mean", weighting="frequency", mode="mean")
LOG_MEAN = Search("log mean", mode="mean")
DEFAULT = Search("default")
SEARCHES = (
    BASELINE,
    LOG_MEAN,
    Search("evidence", mode="evidence"),
    DEFAULT,
    Search("breadth 0.5", breadth=0.5),
    Search("breadth 1", breadth=1.0),
)


def by_weighting(connection: Connection, searches: Iterable[Search]) -> Iterator[Search]:
    """Yield the searches while the space has the weighting of each, refreshed as seldom as possible."""
    current = None
    for search in sorted(searches, key=lambda search: search.weighting):
        if search.weighting != current:
            weigh(connection, search.weighting)
            current = search.weighting
        yield search


def weigh(connection: Connection, weighting: str) -> None:
    """Have the space use a weighting."""
    connection.execute(_WEIGH, [weighting])
    refresh(connection)


def rank_all(connection: Connection, search: Search, queries: Vectors) -> list[list[str]]:
    """Rank all users that have a vector for each of q query vectors, shape (q, d), best first."""
    return [_found(connection, _RANK, search, query, user_count(connection)) for query in queries]


def first(connection: Connection, search: Search, query: Vectors, k: int) -> list[str]:
    """Search for k users, as an analyst does."""
    return _found(connection, _SEARCH, search, query, k)


def user_count(connection: Connection) -> int:
    """Count the users that have a vector."""
    found = connection.execute(_COUNT).fetchone()
    assert found is not None
    return found[0]


def _found(connection: Connection, statement: str, search: Search, query: Vectors, k: int) -> list[str]:
    found = connection.execute(
        statement,
        {
            "query": query,
            "k": k,
            "mode": search.mode,
            "breadth": search.breadth,
            "evidence_weight": search.evidence_weight,
        },
    ).fetchone()
    assert found is not None
    return found[0]
