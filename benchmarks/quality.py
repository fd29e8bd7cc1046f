"""Whether searches find the right people: one JSON document on standard output, a table on standard error.

    .venv/bin/python benchmarks/quality.py                 everything: some minutes
    .venv/bin/python benchmarks/quality.py themes50 places some of it

What is measured, and how exactly, is said in the package `judging`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from typing import Any

from judging import alike, audits, enriched, indexed, labelled, planted, sharpened
from judging.filling import NotAtHandError
from judging.table import tables
from machine import machine_facts
from measuring import say

from pgaudience.embedding.provider import Provider
from pgaudience.embedding.registry import DEFAULT_MODEL, provider_for

Part = Callable[[Provider, bool], dict[str, Any]]

PARTS: dict[str, Part] = {
    **{
        name: lambda provider, small, data=data: labelled.measure(data, provider, small=small)
        for name, data in labelled.DATA.items()
    },
    "themes50": lambda provider, _: planted.themes(provider),
    "places": lambda provider, _: planted.places(provider),
    "audits": lambda provider, small: audits.measure(provider, small=small),
    "judged": lambda provider, small: sharpened.measure(provider, small=small),
    "indexes": lambda provider, small: indexed.measure(provider, small=small),
    **{
        f"{name} users": lambda provider, small, name=name: alike.measure(name, provider, small=small)
        for name in alike.DATA
    },
    **{
        f"{name} enriched": lambda provider, small, name=name: enriched.measure(name, provider, small=small)
        for name in enriched.DATA
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Quality of searches and of likeness, as JSON and a table.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(PARTS)} [default: all]")
    parser.add_argument("--small", action="store_true", help="few queries: does it work, not how good is it")
    options = parser.parse_args()
    names = options.names or list(PARTS)
    if unknown := [name for name in names if name not in PARTS]:
        parser.error(f"no part is called {unknown[0]!r}; there are {', '.join(PARTS)}")
    provider = provider_for(DEFAULT_MODEL)
    results = {name: _run(name, provider, small=options.small) for name in names}
    json.dump({"machine": machine_facts(), "small": options.small, "quality": results}, sys.stdout, indent=2)
    print()


def _run(name: str, provider: Provider, *, small: bool) -> dict[str, Any]:
    say(f"== {name}")
    started = time.perf_counter()
    try:
        result = PARTS[name](provider, small)
    except NotAtHandError:
        result = {"left_out": "the data set is not at hand"}
    result["seconds"] = round(time.perf_counter() - started, 1)
    say(tables({name: result}))
    return result


if __name__ == "__main__":
    main()
