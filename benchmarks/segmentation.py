"""Build a segmentation in the database, against export, scikit-learn, and COPY of the labels back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from export import export_user_vectors, through_psql, write_labels
from measuring import ROUNDS, ROUNDS_OF_LONG, Comparison, Contender, Times, against, alternate, say
from numpy.typing import NDArray
from pgvector import Vector
from pgvector.psycopg import register_vector
from purchases import fill
from serving import Connection, Server, serving, settle
from sklearn.cluster import KMeans

USERS, MORE_USERS = 50_000, 200_000
ENTRIES, PAIRS_PER_USER = 20_000, 15
SEGMENTS, ITERATIONS = 12, 20
TOLERANCE = 1e-4
TARGET, TARGET_IN_MEMORY, TARGET_GROWTH, TARGET_INERTIA = 1.0, 2.5, 1.2, 1.001

EXPORT, IN_MEMORY = "psql, scikit-learn, COPY back", "scikit-learn, data in memory"
EXACT = "build_segmentation, describe => false, sample_size => null"
BUILD, DESCRIBED = "build_segmentation, describe => false", "build_segmentation"
SAMPLE = 20_000

_BUILD = """
call build_segmentation(
    'bench', initial_centroids => %s::vector[], max_iterations => %s, tolerance => 0, warm_start => false,
    describe => %s, centered => false, sample_size => %s
)
"""


def run(*, small: bool) -> dict[str, Any]:
    """Time both at two sizes, from the same initial centroids and for as many rounds, and after a sample."""
    users, more = (1_000, 4_000) if small else (USERS, MORE_USERS)
    times, first = _measure(users)
    more_times, second = _measure(more, ROUNDS_OF_LONG)
    growth = {
        name: _median(more_times, name) / _median(times, name) / (more / users) for name in (BUILD, DESCRIBED, EXPORT)
    }
    return {
        "sizes": [first, second],
        "seconds_per_user_with_four_times_the_users": {
            name: against(ratio, TARGET_GROWTH if name == BUILD else None) for name, ratio in growth.items()
        },
    }


def _measure(users: int, rounds: int = ROUNDS) -> tuple[Times, dict[str, Any]]:
    with serving() as server, server.connect() as connection:
        say(f"filling the space: {users:,} users")
        data = fill(connection, users, ENTRIES, users * PAIRS_PER_USER)
        connection.execute("call refresh()")
        connection.commit()
        register_vector(connection)
        copy_out = through_psql(server.url)
        _, vectors = export_user_vectors(copy_out)
        start = vectors[:: len(vectors) // SEGMENTS][:SEGMENTS].copy()
        times = alternate(
            Contender(EXPORT, lambda: _outside(connection, copy_out, start), lambda: settle(connection)),
            Contender(IN_MEMORY, lambda: _kmeans(vectors, start), lambda: settle(connection)),
            Contender(EXACT, lambda: _build(connection, start, sample=None), lambda: _forget(connection)),
            Contender(BUILD, lambda: _build(connection, start), lambda: _forget(connection)),
            Contender(DESCRIBED, lambda: _build(connection, start, describe=True), lambda: _forget(connection)),
            rounds=rounds,
            cpu=server.cpu_clock(),
        )
        inertia = _inertia(connection, vectors, start)
        memory = _backend_megabytes(server, start)
    report = times.report(
        [
            Comparison(BUILD, EXPORT, TARGET),
            Comparison(EXACT, EXPORT),
            Comparison(EXACT, IN_MEMORY, TARGET_IN_MEMORY),
            Comparison(DESCRIBED, EXPORT),
            Comparison(DESCRIBED, IN_MEMORY),
        ]
    )
    return times, {"data": data, "backend_private_mb": memory, "inertia_after_a_sample": inertia, **report}


def _median(times: Times, name: str) -> float:
    return float(np.median(times.seconds[name]))


def _outside(connection: Connection, copy_out: Callable[[str], bytes], start: NDArray[np.float32]) -> None:
    user_keys, vectors = export_user_vectors(copy_out)
    write_labels(connection, user_keys, _kmeans(vectors, start).labels_)


def _kmeans(vectors: NDArray[np.float32], start: NDArray[np.float32]) -> KMeans:
    return KMeans(len(start), init=start, n_init=1, max_iter=ITERATIONS, tol=0).fit(vectors)


def _build(
    connection: Connection, start: NDArray[np.float32], *, describe: bool = False, sample: int | None = SAMPLE
) -> None:
    connection.execute(_BUILD, [[Vector(each) for each in start], ITERATIONS, describe, sample])
    connection.commit()


def _forget(connection: Connection) -> None:
    connection.execute("delete from segmentations")
    connection.execute("truncate segment_assignments, segment_changes")
    connection.commit()
    settle(connection)


def _inertia(connection: Connection, vectors: NDArray[np.float32], start: NDArray[np.float32]) -> dict[str, Any]:
    """Check that all rounds give what scikit-learn gives, and return the inertia after a sample against that."""
    expected = _kmeans(vectors, start)
    inertia = {sample: _built(connection, start, sample) for sample in (None, SAMPLE)}
    assert abs(inertia[None][0] / expected.inertia_ - 1) < TOLERANCE, (inertia, expected.inertia_)
    assert inertia[None][1] == expected.n_iter_, (inertia, expected.n_iter_)
    return against(inertia[SAMPLE][0] / inertia[None][0], TARGET_INERTIA)


def _built(connection: Connection, start: NDArray[np.float32], sample: int | None) -> tuple[float, int]:
    _forget(connection)
    _build(connection, start, sample=sample)
    found = connection.execute("select inertia, iterations from segmentation_runs").fetchone()
    connection.commit()
    assert found is not None
    _forget(connection)
    return found[0], found[1]


def _backend_megabytes(server: Server, start: NDArray[np.float32]) -> float | None:
    """Return the most private memory of the server process in one build, where the system tells it."""
    with server.connect() as connection:
        register_vector(connection)
        with _watching(connection.info.backend_pid) as seen:
            _build(connection, start, describe=True)
    return round(max(seen) / 1e6, 1) if seen else None


@contextmanager
def _watching(pid: int):
    status, seen, stopped = Path(f"/proc/{pid}/status"), [], threading.Event()

    def watch() -> None:
        while status.exists() and not stopped.is_set():
            lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
            seen.append(int(lines["RssAnon"].split()[0]) * 1024)
            time.sleep(0.01)

    thread = threading.Thread(target=watch)
    thread.start()
    yield seen
    stopped.set()
    thread.join()
