"""The data sets, and a space filled with one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embed import Silent
from pgvector.psycopg import register_vector
from serving import Connection, serving

from pgaudience.embedding.embed import embed_pending
from pgaudience.embedding.provider import Provider
from pgaudience.loading.load import load
from pgaudience.reading import Columns, Rejects, open_source
from pgaudience.refresh import refresh

CHECKOUT = Path(__file__).parents[2]
SHARED = CHECKOUT.parent / "shared" / "data"


class NotAtHandError(Exception):
    """A data set that is not part of the project is missing."""


def shared(path: str) -> Path:
    """Find a file of the data sets in the folder `shared/data` beside the checkout.

    Raises NotAtHandError.
    """
    found = SHARED / path
    if not found.exists():
        raise NotAtHandError(path)
    return found


@contextmanager
def filled(path: Path, provider: Provider) -> Iterator[Connection]:
    """Load, embed and refresh a file of activity in a space of its own, for the time of a block."""
    with serving() as server, server.connect() as connection:
        register_vector(connection)
        with Rejects() as rejects, open_source(path, format=None, columns=Columns(), rejects=rejects) as source:
            load(connection, [source])
        embed_pending(connection, provider, Silent())
        refresh(connection)
        yield connection
