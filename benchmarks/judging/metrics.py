"""Figures of merit of one ranking of users, given who should be found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

K = 20
MANY, MOST = 500, 1000

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Truth:
    """What u judged users are with respect to one label: flags, and the stratum of each, shape (u,).

    several: at least two entries of the label; strong and diluted users are among them. none: no entry of it.
    """

    strong: Flags
    diluted: Flags
    several: Flags
    none: Flags
    strata: NDArray[np.int64]


def judge(best_first: NDArray[np.int64], truth: Truth) -> dict[str, float]:
    """Judge a ranking of all u users, given by their places in `truth`.

    `comp` is the mean of the figures but for those of long lists, precision at 500 and recall at 1,000 of users with
    several entries.
    """
    strong = truth.strong[best_first]
    recalls, areas = [], []
    for stratum in np.unique(truth.strata):
        members = best_first[truth.strata[best_first] == stratum]
        diluted, none = truth.diluted[members], truth.none[members]
        recalls.append(recall(diluted, int(truth.several[members].sum())))
        areas.append(area_under_curve(diluted[diluted | none]))
    figures = {
        "ndcg_at_20": ndcg(strong),
        "precision_at_20": float(strong[:K].mean()),
        "average_precision_strong": average_precision(strong),
        "average_precision_several": average_precision(truth.several[best_first]),
        "diluted_recall": float(np.nanmean(recalls)),
        "diluted_auc": float(np.nanmean(areas)),
    }
    several = truth.several[best_first]
    return figures | {
        "comp": float(np.mean(list(figures.values()))),
        "precision_at_500": float(several[:MANY].mean()),
        "recall_at_1000": recall(several, MOST),
    }


def ndcg(relevant: Flags, k: int = K) -> float:
    """Normalised discounted cumulative gain of the first k of a list, each right one gaining 1 (Järvelin 2002)."""
    discounts = 1 / np.log2(np.arange(2, k + 2))
    best = discounts[: relevant.sum()].sum()
    return float(discounts[: len(relevant)][relevant[:k]].sum() / best) if best else np.nan


def average_precision(relevant: Flags) -> float:
    """Mean, over the right ones, of the precision of the list up to each."""
    places = np.flatnonzero(relevant) + 1
    return float((np.arange(1, len(places) + 1) / places).mean()) if len(places) else np.nan


def recall(relevant: Flags, n: int) -> float:
    """Share of the right ones among the first n."""
    return float(relevant[:n].sum() / relevant.sum()) if relevant.any() else np.nan


def area_under_curve(relevant: Flags) -> float:
    """Probability that a right one stands before a wrong one."""
    pairs = relevant.sum() * (~relevant).sum()
    wrong_after = np.cumsum(~relevant[::-1])[::-1]
    return float(wrong_after[relevant].sum() / pairs) if pairs else np.nan
