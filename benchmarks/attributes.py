"""Spaces of attributes on bank-marketing: the cost of K-prototypes, and look-alikes of who subscribed, each way."""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import time
from pathlib import Path

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.types.json import Jsonb
from scipy import stats

from pgaudience.database import SpaceConnection, open_space
from pgaudience.embedding.registry import measure
from pgaudience.installing import migrate
from pgaudience.learning import learn
from pgaudience.refresh import refresh

DATA = Path(__file__).parents[2] / "shared" / "data" / "bank-marketing" / "users.csv.gz"
NUMBERS = ("age", "balance", "day", "campaign", "pdays", "previous")
CATEGORIES = ("job", "marital", "education", "default", "housing", "loan", "contact", "month", "poutcome")
OF_THE_ARTICLE = ("age", "balance", "job", "marital", "education", "default", "housing", "loan")
LABELS = """
select s.segment_id
from users u
join segment_assignments s using (user_key)
where s.run_id = (select max(r.run_id) from segmentation_runs r)
order by u.user_key
"""


def read(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def k_prototypes_cost(people: list[dict[str, str]], labels: NDArray[np.int64]) -> float:
    """Huang's cost with gamma 0.5: squared distances of made-normal numbers, half a point for what is not the mode."""
    cost = 0.0
    for name in OF_THE_ARTICLE:
        values = np.array([one[name] for one in people])
        if name in NUMBERS:
            moved = stats.zscore(stats.yeojohnson(values.astype(float))[0])
            cost += sum(float(np.square(moved[labels == n] - moved[labels == n].mean()).sum()) for n in set(labels))
        else:
            cost += 0.5 * sum(
                int((labels == n).sum() - np.unique(values[labels == n], return_counts=True)[1].max())
                for n in set(labels)
            )
    return cost


def store(connection: psycopg.Connection, people: list[dict[str, str]]) -> None:
    with connection.cursor().copy("copy users (user_id, attributes) from stdin") as copy:
        for one in people:
            known = {name: float(one[name]) for name in NUMBERS} | {name: one[name] for name in CATEGORIES}
            copy.write_row((one["user_id"], Jsonb(known)))
    connection.execute("delete from attribute_kinds")
    for names, kind in ((NUMBERS, "number"), (CATEGORIES, "text")):
        connection.cursor().executemany(
            "insert into attribute_kinds values ('users', %s, %s)", [(name, kind) for name in names]
        )


def lift(found: list[str], subscribed: set[str], wanted: float) -> float:
    """How many times oftener than among all the wanted are in the best tenth of all who are ranked."""
    best = found[: len(found) // 10]
    return float(np.mean([user in subscribed for user in best]) / wanted)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--users", type=int, default=6000, help="so many, at random, for look-alikes")
    arguments = parser.parse_args()
    migrate(arguments.database, "bench", model=None, weighting=None, measure=lambda _: ("tests:none", 3))
    migrate(arguments.database, "bench_known", model="attributes", weighting=None, of="bench", measure=measure)
    people = read(arguments.data)
    with SpaceConnection.connect(arguments.database) as connection:
        open_space(connection, "bench")
        known = open_space(connection, "bench_known")
        connection.execute("truncate bench.users cascade")
        open_space(connection, "bench")
        store(connection, people)
        open_space(connection, "bench_known")
        connection.execute("update space set attributes = %s, category_weight = 0.5", [list(OF_THE_ARTICLE)])
        connection.commit()
        started = time.perf_counter()
        learn(connection, known)
        refresh(connection)
        fitted = time.perf_counter()
        connection.execute("call build_segmentation('bank', k => 5, centered => false, describe => false)")
        connection.commit()
        built = time.perf_counter()
        labels = np.array([row[0] for row in connection.execute(LABELS).fetchall()])
        connection.commit()
        figures: dict[str, object] = {
            "users": len(labels),
            "k_prototypes_cost": round(k_prototypes_cost(people, labels), 1),
            "seconds_to_train_and_refresh": round(fitted - started, 2),
            "seconds_to_segment": round(built - fitted, 2),
        }
        lifts: dict[str, list[float]] = {"mean": [], "nearest": []}
        seconds = dict.fromkeys(lifts, 0.0)
        for seed in range(3):
            random = np.random.default_rng(seed)
            some = [people[n] for n in random.permutation(len(people))[: arguments.users]]
            subscribed = [one["user_id"] for one in some if one["y"] == "yes"]
            seeds = subscribed[::2]
            others = set(subscribed[1::2])
            wanted = len(others) / (len(some) - len(seeds))
            open_space(connection, "bench")
            connection.execute("truncate bench.users cascade")
            open_space(connection, "bench")
            store(connection, some)
            open_space(connection, "bench_known")
            connection.execute("update space set attributes = null, category_weight = 2")
            connection.commit()
            learn(connection, known)
            refresh(connection)
            for way in lifts:
                began = time.perf_counter()
                found = connection.execute(
                    "select user_id from lookalikes(%s, fraction => 1, by => %s)", [seeds, way]
                ).fetchall()
                seconds[way] += (time.perf_counter() - began) / 3
                lifts[way].append(lift([row[0] for row in found], others, wanted))
                connection.commit()
        figures["lookalike_users"] = arguments.users
        figures["lift_in_the_best_tenth"] = {
            way: {"each": np.round(each, 2).tolist(), "mean": round(float(np.mean(each)), 2)}
            for way, each in lifts.items()
        }
        figures["seconds_of_lookalikes"] = {way: round(each, 2) for way, each in seconds.items()}
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
