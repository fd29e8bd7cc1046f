"""Which space is worth what: one JSON document on standard output, a table on standard error.

    .venv/bin/python benchmarks/spaces.py                      everything: a quarter of an hour
    .venv/bin/python benchmarks/spaces.py completejourney      one data set, in minutes

What is measured, and how exactly, is said in `judging/tastes.py` and `judging/known.py`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from judging import known, tastes
from judging.filling import NotAtHandError
from machine import machine_facts
from measuring import say
from targets import table

from pgaudience.embedding.registry import DEFAULT_MODEL, provider_for

Part = Callable[[bool], dict[str, Any]]

PARTS: dict[str, Part] = {
    **{
        name: lambda small, name=name: tastes.measure(name, provider_for(DEFAULT_MODEL), small=small)
        for name in tastes.DATA
    },
    "bank-marketing": lambda small: known.measure(small=small),
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Spaces of texts, behaviour, attributes, as JSON and a table.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(PARTS)} [default: all]")
    parser.add_argument("--small", action="store_true", help="few users: does it work, not how good is it")
    options = parser.parse_args()
    names = options.names or list(PARTS)
    if unknown := [name for name in names if name not in PARTS]:
        parser.error(f"no data set is called {unknown[0]!r}; there are {', '.join(PARTS)}")
    started = time.perf_counter()
    results: dict[str, Any] = {}
    for name in names:
        results[name] = _run(name, small=options.small)
        for line in _means(name, results[name]):
            say(line)
    say(table(results, time.perf_counter() - started))
    json.dump({"machine": machine_facts(), "small": options.small, "spaces": results}, sys.stdout, indent=2)
    print()


def _run(name: str, *, small: bool) -> dict[str, Any]:
    say(f"== {name}")
    try:
        return PARTS[name](small)
    except NotAtHandError:
        return {"left_out": "the data set is not at hand"}


def _means(name: str, result: dict[str, Any]) -> Iterator[str]:
    """Lay out each measure of each space, with its interval."""
    yield f"{name}  {result.get('left_out', '')}"
    for space, measures in result.get("spaces", {}).items():
        cells = ("{}: {:.3f} ({:.3f} … {:.3f})".format(w, f["mean"], *f["interval"]) for w, f in measures.items())
        yield f"  {space:<26}" + "   ".join(cells)


if __name__ == "__main__":
    main()
