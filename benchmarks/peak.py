"""Run a command and print, as JSON, its seconds and the most bytes it had in memory (resident set)."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time

UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, see getrusage(2)

if __name__ == "__main__":
    started = time.perf_counter()
    subprocess.run(sys.argv[1:], check=True, stdout=sys.stderr)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * UNIT
    print(json.dumps({"seconds": seconds, "peak_bytes": peak}))
