"""Spaces of attributes on bank-marketing: the cost of K-prototypes, and look-alikes of who subscribed, each way.

Half of some customers are known: those of them who subscribed are the seeds. *lift*: how many times oftener than by
chance the best tenth of the other half subscribed. By the outcome: that of the known half is loaded, and `train` told.
Intervals are over the customers of the other half, of all draws together.
"""

from __future__ import annotations

import csv
import gzip
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np
from measuring import against, say
from numpy.typing import NDArray
from psycopg.types.json import Jsonb
from scipy import stats
from serving import SCHEMA, serving

from judging.filling import shared
from judging.intervals import RESAMPLES
from pgaudience.database import SpaceConnection, open_space
from pgaudience.embedding.registry import measure as measure_model
from pgaudience.installing import migrate
from pgaudience.learning import learn
from pgaudience.refresh import refresh

KNOWN = "known"
NUMBERS = ("age", "balance", "day", "campaign", "pdays", "previous")
CATEGORIES = ("job", "marital", "education", "default", "housing", "loan", "contact", "month", "poutcome")
OF_THE_ARTICLE = ("age", "balance", "job", "marital", "education", "default", "housing", "loan")
CUSTOMERS, DRAWS, FEW = 6_000, 5, 600
SEGMENTS = 5
BY_OUTCOME = "by the outcome"
LIFT, COST, TIME = 3.9, 1.02, 0.01

_LABELS = """
select s.segment_id
from users u
join segment_assignments s using (user_key)
where s.run_id = (select max(r.run_id) from segmentation_runs r)
order by u.user_key
"""
_LOOKALIKES = "select user_id from lookalikes(%s, fraction => 1, by => %s)"

People = list[dict[str, str]]


def measure(*, small: bool) -> dict[str, Any]:
    """Segment all customers as K-prototypes would, and find look-alikes among some, over several draws."""
    people = _read(shared("bank-marketing/users.csv.gz"))
    with serving() as server, server.connect() as connection:
        migrate(server.url, KNOWN, model="attributes", weighting=None, of=SCHEMA, measure=measure_model)
        some = people[:FEW] if small else people
        found = _prototypes(connection, some, server.cpu_clock() or time.perf_counter)
        return {"k-prototypes": found, **_lookalikes(connection, people, small=small)}


def _read(path: Path) -> People:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _prototypes(connection: SpaceConnection, people: People, clock: Callable[[], float]) -> dict[str, Any]:
    _store(connection, people)
    known = open_space(connection, KNOWN)
    connection.execute("update space set attributes = %s, category_weight = 0.5", [list(OF_THE_ARTICLE)])
    connection.commit()
    started = clock()
    learn(connection, known)
    refresh(connection)
    refreshed = clock()
    connection.execute("call build_segmentation('bank', k => %s, centered => false, describe => false)", [SEGMENTS])
    connection.commit()
    segmented = clock()
    labels = np.array([row[0] for row in connection.execute(_LABELS).fetchall()])
    connection.commit()
    cost = k_prototypes_cost(people, labels)
    before = clock()
    of_kmodes = _kmodes(people)
    after = clock()
    expected = k_prototypes_cost(people, of_kmodes)
    seconds = {
        "train, refresh": refreshed - started,
        "build_segmentation": segmented - refreshed,
        "kmodes": after - before,
    }
    say(f"build_segmentation {cost:,.0f}, kmodes {expected:,.0f}; seconds of CPU {seconds}")
    return {
        "costs": {"build_segmentation": round(cost, 1), "kmodes": round(expected, 1)},
        "cpu_seconds": {name: round(each, 2) for name, each in seconds.items()},
        "cost": against(cost / expected, COST),
        "CPU of build_segmentation": against(seconds["build_segmentation"] / seconds["kmodes"], TIME),
        "CPU of all": against((segmented - started) / seconds["kmodes"], None),
    }


def _kmodes(people: People) -> NDArray[np.int64]:
    from kmodes.kprototypes import KPrototypes

    columns = [name for name in OF_THE_ARTICLE if name in NUMBERS], [n for n in OF_THE_ARTICLE if n not in NUMBERS]
    numbers = [_normal(people, name) for name in columns[0]]
    rows = np.array([*numbers, *([one[name] for one in people] for name in columns[1])], dtype=object).T
    places = list(range(len(columns[0]), len(OF_THE_ARTICLE)))
    return KPrototypes(SEGMENTS, init="Cao", n_init=1, gamma=0.5, random_state=0).fit_predict(rows, categorical=places)


def _normal(people: People, name: str) -> NDArray[np.float64]:
    return stats.zscore(stats.yeojohnson(np.array([float(one[name]) for one in people]))[0])


def k_prototypes_cost(people: People, labels: NDArray[np.int64]) -> float:
    """Huang's cost with gamma 0.5: squared distances of made-normal numbers, half a point for what is not the mode."""
    cost = 0.0
    for name in OF_THE_ARTICLE:
        if name in NUMBERS:
            moved = _normal(people, name)
            cost += sum(float(np.square(moved[labels == n] - moved[labels == n].mean()).sum()) for n in set(labels))
        else:
            values = np.array([one[name] for one in people])
            cost += 0.5 * sum(
                int((labels == n).sum() - np.unique(values[labels == n], return_counts=True)[1].max())
                for n in set(labels)
            )
    return cost


def _lookalikes(connection: SpaceConnection, people: People, *, small: bool) -> dict[str, Any]:
    found: dict[str, list[tuple[NDArray[np.bool_], NDArray[np.bool_]]]] = {}
    for draw in range(1 if small else DRAWS):
        random = np.random.default_rng(draw)
        some = [people[n] for n in random.permutation(len(people))[: FEW if small else CUSTOMERS]]
        known, others = some[: len(some) // 2], some[len(some) // 2 :]
        seeds = [one["user_id"] for one in known if one["y"] == "yes"]
        asked = {one["user_id"]: one["y"] == "yes" for one in others}
        for kind in ("categories apart", BY_OUTCOME):
            _store(connection, some, {one["user_id"] for one in known} if kind == BY_OUTCOME else ())
            space = open_space(connection, KNOWN)
            connection.execute("update space set attributes = null, category_weight = 2")
            connection.commit()
            learn(connection, space, "y=yes" if kind == BY_OUTCOME else "")
            refresh(connection)
            for way in ("mean", "nearest"):
                ranked = [row[0] for row in connection.execute(_LOOKALIKES, [seeds, way]).fetchall()]
                connection.commit()
                are = np.array([asked[user] for user in ranked if user in asked])
                best = np.arange(len(are)) < len(are) // 10
                found.setdefault(f"{kind}, {way}", []).append((best, are))
    return {
        "spaces": {
            name: {"lift": {**_lift(each), **({} if small or name != f"{BY_OUTCOME}, nearest" else against(
                float(np.mean([_of(*draw) for draw in each])), LIFT, at_least=True))}}
            for name, each in found.items()
        }
    }  # fmt: skip


def _of(best: NDArray[np.bool_], are: NDArray[np.bool_]) -> float:
    return float(are[best].mean() / are.mean())


def _lift(draws: list[tuple[NDArray[np.bool_], NDArray[np.bool_]]]) -> dict[str, Any]:
    """Return the mean lift over the draws, each of them, and the interval over resamples of the customers."""
    random = np.random.default_rng(0)
    resampled = []
    for best, are in draws:
        picks = random.integers(len(are), size=(RESAMPLES, len(are)))
        hits, chosen = (are[picks] & best[picks]).sum(axis=1), best[picks].sum(axis=1)
        resampled.append(hits / chosen / are[picks].mean(axis=1))
    low, high = np.percentile(np.mean(resampled, axis=0), [2.5, 97.5])
    each = [_of(*draw) for draw in draws]
    return {
        "mean": round(float(np.mean(each)), 4),
        "interval": [round(float(low), 4), round(float(high), 4)],
        "each": np.round(each, 2).tolist(),
    }


def _store(connection: SpaceConnection, people: People, outcomes: Collection[str] = ()) -> None:
    """Put these people in place of those who are there; with the outcome of some."""
    open_space(connection, SCHEMA)
    connection.execute("truncate users cascade")
    connection.execute("delete from attribute_kinds")
    with connection.cursor().copy("copy users (user_id, attributes) from stdin") as copy:
        for one in people:
            held: dict[str, object] = {name: float(one[name]) for name in NUMBERS}
            held |= {name: one[name] for name in (*CATEGORIES, *(["y"] if one["user_id"] in outcomes else []))}
            copy.write_row((one["user_id"], Jsonb(held)))
    for names, kind in ((NUMBERS, "number"), ((*CATEGORIES, "y"), "text")):
        connection.cursor().executemany(
            "insert into attribute_kinds values ('users', %s, %s)", [(name, kind) for name in names]
        )
    connection.commit()
