"""Searches for the labels of real entries, judged by what users did with those entries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from measuring import say

from judging.filling import filled, shared
from judging.intervals import gain
from judging.metrics import K, Truth, judge
from judging.searching import BASELINE, DEFAULT, SEARCHES, Connection, by_weighting, first, rank_all
from judging.truth import Population, population, read_labels, truths
from pgaudience.embedding.provider import Provider

Figures = dict[str, dict[str, dict[str, float]]]
"""By search, by label."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A data set, the columns of its entries that are labels, and the gain in COMP that the default should have."""

    folder: str
    columns: tuple[str, ...]
    targets: dict[str, float]


DATA = {
    "completejourney": Labelled("completejourney", ("department", "product_category"), {"all": 0.08}),
    "instacart-sample": Labelled("instacart-sample", ("aisle", "department"), {"aisle": 0.085}),
}
SMALL = 3


def measure(data: Labelled, provider: Provider, *, small: bool) -> dict[str, Any]:
    """Judge every search on every label that has enough users."""
    with filled(shared(f"{data.folder}/events.csv.gz"), provider) as connection:
        judged = population(connection)
        figures: dict[str, Figures] = {}
        for column in data.columns:
            labels = truths(connection, judged, read_labels(shared(f"{data.folder}/entries.csv.gz"), column))
            if small:
                labels = dict(list(labels.items())[:SMALL])
            figures[column] = _judge(connection, judged, labels, provider)
            say(f"{data.folder}: {len(labels)} labels of {column}")
    if len(figures) > 1:
        figures["all"] = _union(figures)
    return {
        "judged_users": len(judged.places),
        **{
            column: _report(by_search, None if small else data.targets.get(column))
            for column, by_search in figures.items()
        },
    }


def _judge(connection: Connection, judged: Population, labels: dict[str, Truth], provider: Provider) -> Figures:
    vectors = provider.embed_queries(list(labels))
    found: Figures = {}
    for search in by_weighting(connection, SEARCHES):
        ranked = rank_all(connection, search, vectors)
        found[search.name] = {
            label: judge(judged.order(users), truth)
            for (label, truth), users in zip(labels.items(), ranked, strict=True)
        }
        if search == DEFAULT:
            tops = [set(first(connection, search, vector, K)) for vector in vectors]
            for label, top, users in zip(labels, tops, ranked, strict=True):
                found[search.name][label]["search_users_overlap_at_20"] = len(top & set(users[:K])) / K
    return found


def _union(figures: dict[str, Figures]) -> Figures:
    return {
        search.name: {
            f"{column}: {label}": values
            for column, by_search in figures.items()
            for label, values in by_search[search.name].items()
        }
        for search in SEARCHES
    }


def _report(by_search: Figures, target: float | None) -> dict[str, Any]:
    labels = list(by_search[BASELINE.name])
    baseline = np.array([by_search[BASELINE.name][label]["comp"] for label in labels])
    report: dict[str, Any] = {"labels": len(labels), "searches": {}}
    for search in SEARCHES:
        by_label = by_search[search.name]
        means = {
            metric: round(float(np.mean([by_label[label][metric] for label in labels])), 4)
            for metric in by_label[labels[0]]
        }
        report["searches"][search.name] = means
        if search != BASELINE:
            comp = np.array([by_label[label]["comp"] for label in labels])
            means["over_baseline"] = gain(comp, baseline)
    if target is not None:
        reached = report["searches"][DEFAULT.name]["over_baseline"]["gain"]
        report["target"] = {"gain_of_default": target, "met": reached >= target}
    return report
