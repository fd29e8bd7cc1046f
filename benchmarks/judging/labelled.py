"""Searches for the labels of real entries, judged by what users did with those entries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from measuring import say

from judging.filling import filled, shared
from judging.intervals import gain
from judging.metrics import K, Truth, judge
from judging.searching import BASELINE, DEFAULT, LOG_MEAN, SEARCHES, Connection, by_weighting, first, rank_all
from judging.truth import Population, population, read_labels, truths
from pgaudience.embedding.provider import Provider

Figures = dict[str, dict[str, dict[str, float]]]
"""By search, by label."""
Judged = dict[str, tuple[Population, dict[str, Truth]]]
"""Users and what they are by label; by name, those who are judged in full having none."""


ALSO = {"of_everybody": 1, "of_8_entries": 8}
"""The other populations whose first 20 are judged, by how many entries a user has at least."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A data set, the columns of its entries that are labels, and the gain in COMP that the default should have.

    The gain is over the mean by frequency; over that by logarithm there should be one whose interval is above zero.
    """

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
        others = {name: population(connection, fewest) for name, fewest in ALSO.items()}
        figures: dict[str, Figures] = {}
        for column in data.columns:
            pairs = read_labels(shared(f"{data.folder}/entries.csv.gz"), column)
            labels = truths(connection, judged, pairs)
            if small:
                labels = dict(list(labels.items())[:SMALL])
            also = {name: (people, truths(connection, people, pairs, 0)) for name, people in others.items()}
            figures[column] = _judge(connection, {"": (judged, labels), **also}, provider)
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


def _judge(connection: Connection, judged: Judged, provider: Provider) -> Figures:
    _, labels = judged[""]
    vectors = provider.embed_queries(list(labels))
    found: Figures = {}
    for search in by_weighting(connection, SEARCHES):
        ranked = rank_all(connection, search, vectors)
        found[search.name] = {
            label: _figures(judged, label, users) for label, users in zip(labels, ranked, strict=True)
        }
        if search == DEFAULT:
            tops = [set(first(connection, search, vector, K)) for vector in vectors]
            for label, top, users in zip(labels, tops, ranked, strict=True):
                found[search.name][label]["search_users_overlap_at_20"] = len(top & set(users[:K])) / K
    return found


def _figures(judged: Judged, label: str, users: list[str]) -> dict[str, float]:
    """Judge a ranking among the users who are judged in full, and the precision of its top among the others."""
    found: dict[str, float] = {}
    for name, (people, truth) in judged.items():
        figures = judge(people.order(users), truth[label])
        found |= {f"precision_at_20_{name}": figures["precision_at_20"]} if name else figures
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
    comp = {search: np.array([by_search[search.name][label]["comp"] for label in labels]) for search in SEARCHES}
    report: dict[str, Any] = {"labels": len(labels), "searches": {}}
    for search in SEARCHES:
        by_label = by_search[search.name]
        means = {
            metric: round(float(np.mean([by_label[label][metric] for label in labels])), 4)
            for metric in by_label[labels[0]]
        }
        report["searches"][search.name] = means
        if search != BASELINE:
            means["over_baseline"] = gain(comp[search], comp[BASELINE])
        if search not in (BASELINE, LOG_MEAN):
            means["over_log_mean"] = gain(comp[search], comp[LOG_MEAN])
    if target is not None:
        default = report["searches"][DEFAULT.name]
        reached, lowest = default["over_baseline"]["gain"], default["over_log_mean"]["interval"][0]
        report["target"] = {"gain_of_default": target, "met": reached >= target}
        report["target_over_log_mean"] = {"gain_of_default": "above 0", "met": lowest > 0}
    return report
