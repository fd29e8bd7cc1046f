"""Measure contenders in alternation, by the clock and by CPU, and compare their medians."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

ROUNDS = 3
ROUNDS_OF_LONG = 1


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
    """Seconds by contender, one for each round: by the clock and, where it was asked for and is known, of CPU."""

    seconds: dict[str, list[float]]
    cpu_seconds: dict[str, list[float]] = field(default_factory=dict[str, list[float]])

    def report(self, comparisons: Iterable[Comparison]) -> dict[str, Any]:
        """Return medians, least and most seconds, and the ratios asked for."""
        return {
            "seconds": {name: _spread(values) for name, values in self.seconds.items()},
            "cpu_seconds": {name: _spread(values) for name, values in self.cpu_seconds.items()},
            "ratios": [self._ratio(comparison) for comparison in comparisons],
        }

    def ratio(self, of: str, to: str) -> float:
        """Return the ratio of the medians."""
        return median(self.seconds[of]) / median(self.seconds[to])

    def _ratio(self, comparison: Comparison) -> dict[str, Any]:
        of, to = self.seconds[comparison.of], self.seconds[comparison.to]
        by_round = [a / b for a, b in zip(of, to, strict=True)]
        found = {
            "of": comparison.of,
            "to": comparison.to,
            "min": round(min(by_round), 3),
            "max": round(max(by_round), 3),
            **against(self.ratio(comparison.of, comparison.to), comparison.target),
        }
        # Less than a tick of the clock of processor time is none.
        if self.cpu_seconds and (least := median(self.cpu_seconds[comparison.to])) > 0:
            found["of_cpu"] = against(median(self.cpu_seconds[comparison.of]) / least, comparison.target)
        return found


def alternate(*contenders: Contender, rounds: int = ROUNDS, cpu: Callable[[], float] | None = None) -> Times:
    """Time the contenders one after the other, once to warm up and then for as many rounds.

    `cpu` reads a clock that counts seconds of CPU: beside other busy processes its ratios hold, those of time do not.
    """
    seconds: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    cpu_seconds: dict[str, list[float]] = {contender.name: [] for contender in contenders} if cpu else {}
    for number in range(rounds + 1):
        for contender in contenders:
            contender.prepare()
            used = cpu() if cpu else 0.0
            taken = timed(contender.run)
            used = cpu() - used if cpu else 0.0
            of_cpu = f", {used:.2f} s of CPU" if cpu else ""
            say(f"{'warm-up' if number == 0 else f'round {number}'}: {contender.name}: {taken:.3f} s{of_cpu}")
            if number:
                seconds[contender.name].append(taken)
            if number and cpu:
                cpu_seconds[contender.name].append(used)
    return Times(seconds, cpu_seconds)


def against(value: float, target: float | None, *, at_least: bool = False) -> dict[str, Any]:
    """Say whether a value, which had better be low, or high where it is to be at least so much, meets its target."""
    found: dict[str, Any] = {"value": round(value, 4)}
    if target is not None:
        found |= {"target": target, "met": value >= target if at_least else value <= target}
    if at_least:
        found["at_least"] = True
    return found


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
