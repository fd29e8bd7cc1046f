"""A server for one benchmark: the embedded one, as the product sets it up, in a folder of its own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from pgaudience.database import connect, open_space
from pgaudience.embedding.registry import DEFAULT_MODEL
from pgaudience.installing import migrate
from pgaudience.server import EmbeddedServer

Connection = psycopg.Connection[tuple[Any, ...]]

SCHEMA = "audience"
DIMENSIONS = 384


@dataclass(frozen=True, slots=True)
class Server:
    """A running server with one empty space, and a folder for files beside it."""

    url: str
    folder: Path

    def connect(self) -> Connection:
        """Connect to the space, as the command line does."""
        connection = connect(self.url)
        open_space(connection, SCHEMA)
        return connection


@contextmanager
def serving() -> Iterator[Server]:
    """Run a server for the time of a block; nothing of it stays."""
    folder = Path(tempfile.mkdtemp(prefix="pgaudience-bench-"))
    folder.chmod(0o755)  # started by root, the server is another user
    embedded = EmbeddedServer(folder / "home")
    try:
        embedded.start()
        url = embedded.url()
        migrate(url, SCHEMA, model=None, weighting=None, measure=lambda _: (DEFAULT_MODEL, DIMENSIONS))
        yield Server(url, folder)
    finally:
        embedded.stop()
        shutil.rmtree(folder)


def empty(connection: Connection) -> None:
    """Empty the space, and have the disk written, so that no contender pays for the one before it."""
    connection.execute("truncate users, entries, activity cascade")
    connection.commit()
    settle(connection)


def settle(connection: Connection) -> None:
    """Have everything written to disk that is still to be written."""
    connection.execute("checkpoint")
    connection.commit()
