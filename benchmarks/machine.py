"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from serving import serving

from pgaudience.server.settings import memory_bytes

SETTINGS = ("shared_buffers", "work_mem", "maintenance_work_mem", "max_parallel_workers_per_gather", "fsync")
PACKAGES = ("pgaudience", "numpy", "scipy", "psycopg", "torch", "sentence-transformers")


def machine_facts() -> dict[str, Any]:
    """Cores, memory, and the versions of everything that takes part."""
    with serving() as server, server.connect() as connection:
        postgresql = connection.execute("show server_version").fetchone()
        pgvector = connection.execute("select extversion from pg_extension where extname = 'vector'").fetchone()
        settings = {name: connection.execute(f"show {name}").fetchone() for name in SETTINGS}
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(memory_bytes() / 2**30, 1),
        "platform": platform.platform(),
        "processor": _processor(),
        "load_average": os.getloadavg(),
        "postgresql": postgresql and postgresql[0],
        "pgvector": pgvector and pgvector[0],
        "settings": {name: found and found[0] for name, found in settings.items()},
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def _processor() -> str:
    """Name the processor; Linux has it in /proc only."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as file:
            return next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()
