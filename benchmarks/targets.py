"""The figures of a run that have a target, as one table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WITHOUT_A_NAME = {"sizes", "ratios", "data"}
HEAD = ("benchmark", "what", "value", "target", "")


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure and what it should be, at most or at least."""

    benchmark: str
    what: str
    value: float
    target: float
    met: bool
    at_least: bool

    def cells(self) -> tuple[str, ...]:
        """Return what stands in its row."""
        bound = ">=" if self.at_least else "<="
        return (
            self.benchmark, self.what, f"{self.value:g}", f"{bound} {self.target:g}", "met" if self.met else "MISSED"
        )  # fmt: skip


def table(results: Mapping[str, Any], seconds: float) -> str:
    """Return a line for each figure with a target, in the order of the benchmarks, and how many are met."""
    figures = [figure for name, result in results.items() for figure in _figures(name, result, ())]
    rows = [HEAD, *(figure.cells() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    met = sum(figure.met for figure in figures)
    return "\n".join([*lines, "", f"{met} of {len(figures)} targets met, in {seconds / 60:.1f} minutes"])


def _figures(benchmark: str, found: Any, path: Sequence[str]) -> Iterator[Figure]:
    """Find them wherever they stand; what they are of is said beside them, or by where they stand."""
    if isinstance(found, Mapping):
        if "of" in found:
            path = [*path, f"{found['of']} / {found['to']}"]
        if "target" in found:
            what = ", ".join(path)
            at_least = found.get("at_least", False)
            yield Figure(benchmark, what, found["value"], found["target"], found["met"], at_least)
        for key, value in found.items():
            yield from _figures(benchmark, value, path if key in WITHOUT_A_NAME else [*path, _spoken(key)])
    elif isinstance(found, list):
        for number, value in enumerate(found):
            place = [] if all("of" in each for each in found if isinstance(each, Mapping)) else [f"size {number + 1}"]
            yield from _figures(benchmark, value, [*path, *place])


def _spoken(key: str) -> str:
    return "CPU" if key == "of_cpu" else key if " " in key else key.replace("_", " ")
