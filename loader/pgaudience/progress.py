"""Progress of long work: a bar with rate and ETA on a terminal, log lines elsewhere; always on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import Protocol

LOG_EVERY_SECONDS = 10.0
LEAST_WHOLE_RATE = 10


class Progress(Protocol):
    """Where a step reports how far it is."""

    def advance(self, steps: int) -> None:
        """Report `steps` more units of work as done."""
        ...


class LogLines:
    """Progress as a line every ten seconds and one at the end, for logs and pipes."""

    def __init__(self, label: str, total: int | None, unit: str) -> None:
        self._label, self._total, self._unit = label, total, unit
        self._done = 0
        self._started = self._logged = time.monotonic()

    def advance(self, steps: int) -> None:
        """Count `steps` more units, and log them if the last line is old enough."""
        self._done += steps
        if time.monotonic() - self._logged >= LOG_EVERY_SECONDS:
            self._logged = time.monotonic()
            self._print()

    def finish(self) -> None:
        """Log the last line."""
        self._print()

    def _print(self) -> None:
        seconds = max(time.monotonic() - self._started, 1e-9)
        rate = self._done / seconds
        of_total = f" of {self._total:,}" if self._total is not None else ""
        line = f"{self._label}: {self._done:,}{of_total} {self._unit}, {_rounded(rate)} {self._unit}/s"
        if self._total is not None and 0 < self._done < self._total:
            line += f", {timedelta(seconds=round((self._total - self._done) / rate))} left"
        print(line, file=sys.stderr, flush=True)  # noqa: T201


@contextmanager
def progress(label: str, total: int | None, unit: str) -> Generator[Progress]:
    """Show the progress of one step; `total` is None where nobody knows it."""
    if not sys.stderr.isatty():
        lines = LogLines(label, total, unit)
        yield lines
        lines.finish()
        return
    with _bar(label, total, unit) as bar:
        yield bar


@contextmanager
def stages(label: str) -> Generator[Callable[[str], None]]:
    """Show which stage a step is in that does not know how many there are: a line each, and how long it took."""
    started = time.monotonic()

    def show(stage: str) -> None:
        print(f"{label}: {stage}", file=sys.stderr, flush=True)  # noqa: T201

    if not sys.stderr.isatty():
        yield show
    else:
        from rich.console import Console

        with Console(stderr=True).status(label):
            yield show
    print(f"{label}: {time.monotonic() - started:,.1f} s", file=sys.stderr)  # noqa: T201


@contextmanager
def _bar(label: str, total: int | None, unit: str) -> Generator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{_rounded(speed) if speed else '-'} {unit}/s")

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    with RichProgress(*columns, console=Console(stderr=True)) as display:
        task = display.add_task(label, total=total)

        class Bar:
            def advance(self, steps: int) -> None:
                display.advance(task, steps)

        yield Bar()


def _rounded(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= LEAST_WHOLE_RATE else f"{rate:.1f}"
