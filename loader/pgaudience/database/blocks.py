"""Rows of fixed width, read as arrays while PostgreSQL sends them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg.sql import SQL, Composed

from pgaudience.database.transactions import Connection

BLOCK_BYTES = 32 * 2**20

# Before the first row of PostgreSQL's binary format come 19 bytes, after the last 2.
_HEADER_BYTES = 19
_TRAILER_BYTES = 2


def read_blocks(connection: Connection, query: SQL | Composed, row: np.dtype[Any]) -> Iterator[NDArray[np.void]]:
    """Yield the rows of a query in blocks; `row` has its columns in PostgreSQL's binary format, without nulls."""
    waiting = bytearray()
    skip = _HEADER_BYTES
    with connection.cursor().copy(SQL("copy ({}) to stdout (format binary)").format(query)) as copy:
        for chunk in copy:
            waiting += chunk
            if len(waiting) >= BLOCK_BYTES:
                end = skip + (len(waiting) - skip - _TRAILER_BYTES) // row.itemsize * row.itemsize
                yield np.frombuffer(bytes(waiting[skip:end]), dtype=row)
                del waiting[:end]
                skip = 0
    yield np.frombuffer(bytes(waiting[skip:-_TRAILER_BYTES]), dtype=row)
