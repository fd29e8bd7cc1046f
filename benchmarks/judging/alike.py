"""Users against users: is a user most like herself, and are segments more than an accident of who is in them?

Look-alikes: the occasions of a user (distinct times) are cut into an early and a late half, which become two users.
The early one is the query, and the reciprocal rank of her own late half among all late halves is averaged over 500
users drawn from those with at least 5 distinct entries in both. Stability: the adjusted Rand index, at k = 12, of the
segments that two bootstrap samples of users lead to, a mean over 5 pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from measuring import say
from psycopg import sql

from judging.filling import filled, shared
from judging.halves import EARLY, LATE, cut
from judging.intervals import gain
from judging.searching import Connection, user_count, weigh
from pgaudience.embedding.provider import Provider

DATA = ("completejourney", "online-retail")
FEWEST_ENTRIES = 5
QUERIES, FEW_QUERIES = 500, 20
SEGMENTS, SEEDS = 12, 5


@dataclass(frozen=True, slots=True)
class Likeness:
    """One way to compare users, and the calls that do: of a user with all others, and of segmentations."""

    name: str
    weighting: str
    similar_users: str = "similar_users(%(user)s, k => %(k)s, centered => false)"
    compare_k: str = "compare_k(k_min => %(k)s, k_max => %(k)s, repeats => %(seeds)s, centered => false)"


CENTERED_K = "compare_k(k_min => %(k)s, k_max => %(k)s, repeats => %(seeds)s)"
BASELINE = Likeness("frequency", "frequency")
LIKENESSES = (
    BASELINE,
    Likeness("log", "log"),
    Likeness("centred", "log", "similar_users(%(user)s, k => %(k)s)", CENTERED_K),
    Likeness("entries", "log", "similar_users(%(user)s, k => %(k)s, by => 'entries')", CENTERED_K),
    Likeness("both", "log", "similar_users(%(user)s, k => %(k)s, by => 'both')", CENTERED_K),
)

_PLACE = """
select r.place
from (
    select s.user_id, row_number() over (order by s.rank) as place
    from {} s
    where starts_with(s.user_id, %(late)s)
) r
where r.user_id = %(self)s
"""

_STABILITY = "select s.stability, s.stability_sd, s.silhouette from {} s"


def measure(name: str, provider: Provider, *, small: bool) -> dict[str, Any]:
    """Judge every likeness on the halves of users of one data set."""
    with TemporaryDirectory() as folder:
        halves = Path(folder) / "halves.csv"
        people = cut(shared(f"{name}/events_timed.csv.gz"))
        people.write(halves, early=True, late=True)
        users = people.queries(FEWEST_ENTRIES, FEW_QUERIES if small else QUERIES)
        with filled(halves, provider) as connection:
            ranks: dict[str, np.ndarray] = {}
            report: dict[str, Any] = {}
            for likeness in LIKENESSES:
                weigh(connection, likeness.weighting)
                ranks[likeness.name] = _reciprocal_ranks(connection, likeness, users)
                report[likeness.name] = {
                    "lookalike_mrr": round(float(ranks[likeness.name].mean()), 4),
                    **_stability(connection, likeness, seeds=1 if small else SEEDS),
                }
                if likeness != BASELINE:
                    report[likeness.name]["over_baseline"] = gain(ranks[likeness.name], ranks[BASELINE.name])
                say(f"{name}: {likeness.name}")
    return {"queries": len(users), "likenesses": report}


def _reciprocal_ranks(connection: Connection, likeness: Likeness, users: list[str]) -> np.ndarray:
    statement = sql.SQL(_PLACE).format(sql.SQL(likeness.similar_users))
    everybody = user_count(connection)
    places = [
        connection.execute(
            statement, {"user": EARLY + user, "self": LATE + user, "late": LATE, "k": everybody}
        ).fetchone()
        for user in users
    ]
    return np.array([1 / place[0] if place else 0.0 for place in places])


def _stability(connection: Connection, likeness: Likeness, seeds: int) -> dict[str, float]:
    statement = sql.SQL(_STABILITY).format(sql.SQL(likeness.compare_k))
    found = connection.execute(statement, {"k": SEGMENTS, "seeds": seeds}).fetchone()
    assert found is not None
    names = ("stability", "stability_sd", "silhouette")
    return {name: round(value, 4) for name, value in zip(names, found, strict=True) if value is not None}
