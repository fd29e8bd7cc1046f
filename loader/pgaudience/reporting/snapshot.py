"""Reading as of one moment, and writing nothing."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, LiteralString, TypeVar

from psycopg import IsolationLevel
from psycopg.rows import class_row
from psycopg.sql import SQL

from pgaudience.database import Connection

Row = TypeVar("Row")

ON_EARTH = SQL("""
cross join lateral (
    select
        coalesce(u.attributes ->> 'latitude', u.attributes ->> 'lat') as latitude,
        coalesce(u.attributes ->> 'longitude', u.attributes ->> 'lon', u.attributes ->> 'lng') as longitude
) t
cross join lateral (
    select
        case when pg_input_is_valid(t.latitude, 'double precision') then t.latitude::double precision end as latitude,
        case when pg_input_is_valid(t.longitude, 'double precision') then t.longitude::double precision end as longitude
) c
where u.attributes ?| array['latitude', 'lat'] and abs(c.latitude) <= 90 and abs(c.longitude) <= 180""")
"""Behind `from users u`: those whose latitude and longitude are known, which are those of `c`, in degrees."""


@contextmanager
def snapshot(connection: Connection) -> Generator[None]:
    """Have all statements of a block see the same, and let none of them write."""
    former = connection.isolation_level, connection.read_only
    connection.isolation_level, connection.read_only = IsolationLevel.REPEATABLE_READ, True
    try:
        with connection.transaction():
            yield
    finally:
        connection.isolation_level, connection.read_only = former


def rows(
    connection: Connection, kind: type[Row], query: LiteralString, named: Mapping[str, Any] | None = None
) -> list[Row]:
    """Return the rows of a query, each as one of these; its columns are called like the fields."""
    with connection.cursor(row_factory=class_row(kind)) as cursor:
        return cursor.execute(query, named).fetchall()
