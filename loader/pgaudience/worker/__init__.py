"""A long-running process that embeds what waits in one or several spaces, as it appears."""

from pgaudience.worker.loop import Worker, run_worker

__all__ = ["Worker", "run_worker"]
