"""Run benchmarks: one JSON document on standard output, or a table of the targets; progress on standard error.

    .venv/bin/python benchmarks/run.py --table      those of BRIEF, at full size: what `make bench` does
    .venv/bin/python benchmarks/run.py load --small one of them, in seconds

Each one measures a ratio, the product against the bare tools it is built on: side by side in one run, on a server of
its own, in alternation, medians over rounds after a warm-up. Ratios carry over to other machines, seconds do not.
"""

from __future__ import annotations

import argparse
import json
import sys
import time

import approximate
import arriving
import audiences
import embed
import encoder
import load
import maps
import memory
import refresh
import searching
import segmentation
import tables
from machine import machine_facts
from measuring import say
from targets import table

BENCHMARKS = {
    "load": load.run,
    "input": arriving.run,
    "embed": embed.run,
    "refresh": refresh.run,
    "tables": tables.run,
    "tables-large": tables.run_large,
    "search": searching.run,
    "search-large": searching.run_large,
    "search-million": searching.run_million,
    "segmentation": segmentation.run,
    "audiences": audiences.run,
    "encoder": encoder.run,
    "encoder-agreement": encoder.run_agreement,
    "maps": maps.run,
    "approximate": approximate.run,
    "memory": memory.run,
}

# The others take long, or have no target: by name.
BRIEF = ("load", "embed", "refresh", "tables", "search", "search-large", "segmentation", "encoder", "maps", "memory")


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed and memory against the bare tools.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of: {', '.join(BENCHMARKS)} [default: {', '.join(BRIEF)}]"
    )
    parser.add_argument("--table", action="store_true", help="print the figures that have a target, not JSON")
    parser.add_argument("--small", action="store_true", help="little data: does it work, not how fast is it")
    options = parser.parse_args()
    names = options.names or list(BRIEF)
    if unknown := [name for name in names if name not in BENCHMARKS]:
        parser.error(f"no benchmark is called {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    results, started = {}, time.monotonic()
    for name in names:
        say(f"== {name}")
        begun = time.monotonic()
        results[name] = BENCHMARKS[name](small=options.small)
        say(f"== {name} took {(time.monotonic() - begun) / 60:.1f} minutes")
    if options.table:
        print(table(results, time.monotonic() - started))
        return
    json.dump({"machine": machine_facts(), "small": options.small, "benchmarks": results}, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
