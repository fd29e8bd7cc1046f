"""A small decision tree, in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from pgaudience.explaining.people import Column, People


@dataclass(frozen=True, slots=True)
class Rule:
    """A leaf of the tree: who is in it, and which segment most of them are in."""

    segment_id: int
    words: str
    share: float
    """The share of those judged by whom the rule holds of."""
    right: float
    """The share of these who are in the segment."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The tree, best rules of each segment first, and how often it is right of those it is judged by."""

    rules: list[Rule]
    right: float
    largest: float
    """How often one would be right who always said the largest segment."""
    judged: int
    were_held_back: bool


@dataclass(slots=True)
class _Condition:
    """What a path through the tree says of one attribute."""

    above: float = -np.inf
    up_to: float = np.inf
    unknown: bool = True
    value: str | None = None
    others: list[str] = field(default_factory=list[str])


def fit_rules(people: People, leaves: int) -> Rules:
    """Fit a tree of at most so many leaves, each of at least one user in a hundred; the same people give the same."""
    from sklearn.tree import DecisionTreeClassifier  # pyright: ignore[reportMissingTypeStubs]

    kind = cast(Any, DecisionTreeClassifier)
    fitted, judged = people.fitted, people.held_back
    tree = kind(max_leaf_nodes=leaves, min_samples_leaf=max(2, round(0.01 * int(fitted.sum()))), random_state=0)
    tree.fit(people.table[fitted], people.segments[fitted])
    at: NDArray[np.int64] = tree.apply(people.table[judged])
    said: NDArray[np.int64] = tree.predict(people.table[judged])
    truth = people.segments[judged]
    rules = [
        Rule(
            int(tree.classes_[tree.tree_.value[leaf].argmax()]), words, float((at == leaf).mean()),
            float((truth == said)[at == leaf].mean()) if (at == leaf).any() else 0.0,
        )
        for leaf, words in _paths(tree.tree_, people)
    ]  # fmt: skip
    rules.sort(key=lambda rule: (rule.segment_id, -rule.share * rule.right, rule.words))
    largest = np.bincount(np.searchsorted(tree.classes_, people.segments[fitted])).argmax()
    return Rules(
        rules, float((said == truth).mean()), float((truth == tree.classes_[largest]).mean()),
        int(judged.sum()), not judged.all(),
    )  # fmt: skip


def _paths(tree: Any, people: People) -> list[tuple[int, str]]:
    """Return each leaf with the words of the path to it."""
    found: list[tuple[int, str]] = []
    waiting: list[tuple[int, list[tuple[int, float, bool]]]] = [(0, [])]
    while waiting:
        node, path = waiting.pop()
        if tree.children_left[node] < 0:
            found.append((node, _words(tree, path, people)))
            continue
        waiting.append((int(tree.children_left[node]), [*path, (node, float(tree.threshold[node]), True)]))
        waiting.append((int(tree.children_right[node]), [*path, (node, float(tree.threshold[node]), False)]))
    return found


def _words(tree: Any, path: list[tuple[int, float, bool]], people: People) -> str:
    unknown = [bool(np.isnan(column).any()) for column in people.table.T]
    conditions: dict[str, _Condition] = {}
    whole: dict[str, bool] = {}
    for node, threshold, is_left in path:
        column = people.columns[int(tree.feature[node])]
        condition = conditions.setdefault(column.attribute, _Condition())
        if column.value is not None:
            _restrict_value(condition, column, is_left)
            continue
        whole[column.attribute] = column.is_whole
        if is_left:
            condition.up_to = min(condition.up_to, threshold)
        else:
            condition.above = max(condition.above, threshold)
        goes_along = bool(tree.missing_go_to_left[node]) == is_left
        condition.unknown = condition.unknown and goes_along and unknown[int(tree.feature[node])]
    told = [
        _range(attribute, each, whole[attribute]) if attribute in whole else _value(attribute, each)
        for attribute, each in conditions.items()
    ]
    return " and ".join(told) or "everybody"


def _restrict_value(condition: _Condition, column: Column, is_other: bool) -> None:
    if is_other:
        condition.others.append(column.value or "")
    else:
        condition.value = column.value


def _value(attribute: str, condition: _Condition) -> str:
    if condition.value is not None:
        return f"{attribute} is {condition.value}"
    return f"{attribute} is not {' or '.join(sorted(condition.others))}"


def _range(attribute: str, condition: _Condition, is_whole: bool) -> str:
    above, up_to = (number_text(limit, is_whole) for limit in (condition.above, condition.up_to))
    if np.isinf(condition.above):
        told = f"{attribute} ≤ {up_to}"
    elif np.isinf(condition.up_to):
        told = f"{attribute} > {above}"
    else:
        told = f"{above} < {attribute} ≤ {up_to}"
    return f"({told} or unknown)" if condition.unknown else told


def number_text(number: float, is_whole: bool) -> str:
    """Write a limit as people do; between whole numbers, the lower one."""
    if np.isinf(number):
        return ""
    if is_whole:
        return f"{np.floor(number):,.0f}"
    decimals = max(0, 2 - int(np.floor(np.log10(abs(number))))) if number else 0
    return f"{number:,.{min(decimals, 9)}f}"
