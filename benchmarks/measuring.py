"""Measure contenders in alternation, and compare their medians."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any

ROUNDS = 3


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to do the work: `run` is timed, `prepare` before it is not."""

    name: str
    run: Callable[[], object]
    prepare: Callable[[], object] = _nothing


@dataclass(frozen=True, slots=True)
class Comparison:
    """The ratio of two contenders' times that is asked for, and what it should be at most; None: just to know."""

    of: str
    to: str
    target: float | None = None


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds by contender, one for each round."""

    seconds: dict[str, list[float]]

    def report(self, comparisons: Iterable[Comparison]) -> dict[str, Any]:
        """Return medians, least and most seconds, and the ratios asked for."""
        return {
            "seconds": {name: _spread(values) for name, values in self.seconds.items()},
            "ratios": [self._ratio(comparison) for comparison in comparisons],
        }

    def ratio(self, of: str, to: str) -> float:
        """Return the ratio of the medians."""
        return median(self.seconds[of]) / median(self.seconds[to])

    def _ratio(self, comparison: Comparison) -> dict[str, Any]:
        of, to = self.seconds[comparison.of], self.seconds[comparison.to]
        by_round = [a / b for a, b in zip(of, to, strict=True)]
        ratio = self.ratio(comparison.of, comparison.to)
        return {
            "of": comparison.of,
            "to": comparison.to,
            "ratio": round(ratio, 3),
            "min": round(min(by_round), 3),
            "max": round(max(by_round), 3),
            **against(ratio, comparison.target),
        }


def alternate(*contenders: Contender, rounds: int = ROUNDS) -> Times:
    """Time the contenders one after the other, once to warm up and then for as many rounds."""
    seconds: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for number in range(rounds + 1):
        for contender in contenders:
            contender.prepare()
            taken = timed(contender.run)
            say(f"{'warm-up' if number == 0 else f'round {number}'}: {contender.name}: {taken:.3f} s")
            if number:
                seconds[contender.name].append(taken)
    return Times(seconds)


def against(value: float, target: float | None) -> dict[str, Any]:
    """Say whether a value, which had better be low, meets its target."""
    return {} if target is None else {"target": target, "met": value <= target}


def timed(run: Callable[[], object]) -> float:
    """Return the seconds a call takes."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def say(line: str) -> None:
    """Report progress."""
    print(line, file=sys.stderr, flush=True)


def _spread(values: list[float]) -> dict[str, Any]:
    return {
        "median": round(median(values), 4),
        "min": round(min(values), 4),
        "max": round(max(values), 4),
        "rounds": len(values),
    }
