"""Who should be found for which label, by what the users of a space did with its entries."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from judging.metrics import Truth

Connection = psycopg.Connection[tuple[Any, ...]]

FEWEST_ENTRIES = 10
FEWEST_USERS = 10
STRATA = 5
SEVERAL = 2
SHARE = 0.1
OF_POPULATION = 1.5

_USERS = """
select u.user_id, count(*), sum(a.frequency)
from activity a
join users u using (user_key)
group by u.user_id
having count(*) >= %s
order by u.user_id
"""

_LABELLED = """
select l.label, u.user_id, count(distinct a.entry_key), sum(a.frequency)
from (
    select distinct l.label, normalize_text(l.entry) as entry
    from unnest(%s::text[], %s::text[]) l (label, entry)
) l
join entries e using (entry)
join activity a using (entry_key)
join users u using (user_key)
group by l.label, u.user_id
"""


@dataclass(frozen=True, slots=True)
class Population:
    """The judged users of a space: their places, entries and frequencies, shape (u,)."""

    places: dict[str, int]
    entries: NDArray[np.int64]
    frequencies: NDArray[np.float64]

    def order(self, user_ids: Iterable[str]) -> NDArray[np.int64]:
        """Return the places of the judged among users that are given best first."""
        return np.array([self.places[user] for user in user_ids if user in self.places])

    def strata(self) -> NDArray[np.int64]:
        """Cut the users into fifths by their number of entries."""
        ranks = np.argsort(np.argsort(self.entries, kind="stable"))
        return ranks * STRATA // len(ranks)


def population(connection: Connection, fewest_entries: int = FEWEST_ENTRIES) -> Population:
    """Read the users who have enough entries to be judged."""
    rows = connection.execute(_USERS, [fewest_entries]).fetchall()
    users, entries, frequencies = zip(*rows, strict=True)
    return Population({user: place for place, user in enumerate(users)}, np.array(entries), np.array(frequencies))


def read_labels(path: Path, column: str, of: str = "entry") -> list[tuple[str, str]]:
    """Read the pairs of label and what it is of from a file in long form."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return [(row[column], row[of]) for row in csv.DictReader(file) if row[column].strip()]


def truths(
    connection: Connection,
    judged: Population,
    labels: Iterable[tuple[str, str]],
    fewest_users: int = FEWEST_USERS,
) -> dict[str, Truth]:
    """Say for each label who is what; labels with too few strong, diluted or unconcerned users are left out."""
    names, entries = zip(*labels, strict=True)
    counts = defaultdict(lambda: np.zeros(len(judged.places), dtype=np.int64))
    sums = defaultdict(lambda: np.zeros(len(judged.places)))
    for label, user, count, frequency in connection.execute(_LABELLED, [list(names), list(entries)]):
        if user in judged.places:
            counts[label][judged.places[user]] = count
            sums[label][judged.places[user]] = frequency
    strata = judged.strata()
    found = {label: _truth(judged, strata, counts[label], sums[label]) for label in sorted(counts)}
    return {
        label: truth
        for label, truth in found.items()
        if min(truth.strong.sum(), truth.diluted.sum(), truth.none.sum()) >= fewest_users
        and set(strata[truth.diluted]) & set(strata[truth.none])
    }


def _truth(
    judged: Population, strata: NDArray[np.int64], counts: NDArray[np.int64], sums: NDArray[np.float64]
) -> Truth:
    shares = sums / judged.frequencies
    share_of_all = sums.sum() / judged.frequencies.sum()
    several = counts >= SEVERAL
    return Truth(
        strong=several & (shares >= SHARE) & (shares >= OF_POPULATION * share_of_all),
        diluted=several & (shares < SHARE),
        several=several,
        none=counts == 0,
        strata=strata,
    )
