"""Whether segment_drivers and explain-segments order attributes as LightGBM with SHAP does, on bank-marketing.

Of the seven attributes that the segments are not made of, a forest tells next to nothing, and their order is chance.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from attributes import CATEGORIES, DATA, NUMBERS, OF_THE_ARTICLE, read, store
from scipy import stats

from pgaudience.database import SpaceConnection, open_space
from pgaudience.embedding.registry import measure
from pgaudience.explaining import importances, read_people
from pgaudience.installing import migrate
from pgaudience.learning import learn
from pgaudience.refresh import refresh

TARGET = 0.9
SAMPLE_SIZE = 5_000

_DRIVERS = "select d.attribute, sqrt(coalesce(d.cramers_v ^ 2, d.eta_squared)) from segment_drivers d"
_SEGMENTS = "select m.user_id, m.segment_id from segment_members m"


def shap_strengths(people: list[dict[str, str]], segments: dict[str, int]) -> dict[str, float]:
    """Return the mean |SHAP value| of each attribute, over all segments, of a forest that predicts the segment."""
    try:
        import lightgbm
        import shap
    except ModuleNotFoundError as error:
        sys.exit(f"{error.name} is not installed, and no part of pgaudience: pip install lightgbm shap")
    mine = [one for one in people if one["user_id"] in segments]
    columns: list[Any] = [np.array([float(one[name]) for one in mine]) for name in NUMBERS]
    columns += [np.unique([one[name] for one in mine], return_inverse=True)[1] for name in CATEGORIES]
    table = np.column_stack(columns)
    labels = np.array([segments[one["user_id"]] for one in mine])
    categories = list(range(len(NUMBERS), table.shape[1]))
    forest = lightgbm.LGBMClassifier(n_estimators=100, random_state=0, verbose=-1, deterministic=True, n_jobs=1)
    forest.fit(table, labels, categorical_feature=categories)
    some = np.random.default_rng(0).permutation(len(table))[:SAMPLE_SIZE]
    values = np.abs(np.asarray(shap.TreeExplainer(forest).shap_values(table[some])))
    # Users × attributes × segments, or, in older releases, segments first.
    across = tuple(axis for axis in range(3) if axis != values.shape.index(table.shape[1]))
    return dict(zip((*NUMBERS, *CATEGORIES), values.mean(axis=across).tolist(), strict=True))


def agreement(first: dict[str, float], second: dict[str, float], names: Sequence[str]) -> float:
    """Return Spearman's correlation of two strengths of some attributes."""
    return float(stats.spearmanr([first[name] for name in names], [second[name] for name in names]).statistic)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True)
    parser.add_argument("--data", type=Path, default=DATA)
    arguments = parser.parse_args()
    migrate(arguments.database, "bench", model=None, weighting=None, measure=lambda _: ("tests:none", 3))
    migrate(arguments.database, "bench_known", model="attributes", weighting=None, of="bench", measure=measure)
    people = read(arguments.data)
    with SpaceConnection.connect(arguments.database) as connection:
        known = open_space(connection, "bench_known")
        open_space(connection, "bench")
        connection.execute("truncate users cascade")
        store(connection, people)
        open_space(connection, "bench_known")
        connection.execute("update space set attributes = %s, category_weight = 0.5", [list(OF_THE_ARTICLE)])
        connection.commit()
        learn(connection, known)
        refresh(connection)
        connection.execute("call build_segmentation('bank', k => 5, centered => false)")
        connection.commit()
        drivers = dict(connection.execute(_DRIVERS).fetchall())
        segments = dict(connection.execute(_SEGMENTS).fetchall())
        began = time.perf_counter()
        explained = {each.attribute: each.importance for each in importances(read_people(connection, "bank"))}
        permuted = time.perf_counter()
    shapley = shap_strengths(people, segments)
    figures = {
        "users": len(segments),
        "seconds": {"permutation": round(permuted - began, 1), "shap": round(time.perf_counter() - permuted, 1)},
        "spearman": {
            name: {
                "of what the segments are made of": round(agreement(strengths, shapley, OF_THE_ARTICLE), 3),
                "target": TARGET,
                "of all attributes": round(agreement(strengths, shapley, (*NUMBERS, *CATEGORIES)), 3),
            }
            for name, strengths in (("segment_drivers", drivers), ("explain-segments", explained))
        },
        "shap": {name: round(each, 4) for name, each in sorted(shapley.items(), key=lambda pair: -pair[1])},
    }  # fmt: skip
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
