"""Memory and worker settings fitted to the machine."""

from __future__ import annotations

import os
from pathlib import Path

_MB = 2**20
_GB = 2**30
_CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - only its size is read


def memory_bytes() -> int:
    """Memory of the machine, or of the container when that has less."""
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    texts = [path.read_text().strip() for path in _CGROUP_LIMITS if path.exists()]
    return min([physical, *(int(text) for text in texts if text != "max")])


def server_settings(memory: int, cores: int) -> dict[str, str]:
    """PostgreSQL settings for a machine with so many bytes of memory and so many cores.

    A hash aggregate may use twice `work_mem`: 150 MB (50,000 sums of 384 dimensions) from 5 GB of memory on.
    """
    maintenance = _clamp(memory // 16, 64 * _MB, 2 * _GB)
    return {
        "shared_buffers": _kilobytes(_clamp(memory // 4, 16 * _MB, 8 * _GB)),
        "work_mem": _kilobytes(_clamp(memory // 64, 32 * _MB, 256 * _MB)),
        "maintenance_work_mem": _kilobytes(maintenance),
        "effective_cache_size": _kilobytes(memory // 2),
        "max_wal_size": "4GB",
        "max_parallel_maintenance_workers": str(_clamp(cores - 1, 1, 7)),
        "dynamic_shared_memory_type": _dynamic_shared_memory(maintenance),
        "jit": "off",
    }


def _dynamic_shared_memory(needed: int) -> str:
    """Files instead of /dev/shm where that is too small for a parallel index build (64 MB in a container)."""
    if not _SHARED_MEMORY.exists():
        return "posix"
    shared = os.statvfs(_SHARED_MEMORY)
    return "posix" if shared.f_blocks * shared.f_frsize >= needed else "mmap"


def _clamp(value: int, low: int, high: int) -> int:
    return max(low, min(value, high))


def _kilobytes(size: int) -> str:
    return f"{size // 1024}kB"
