"""Connections to the server over its socket, whatever the caller's environment says."""

from __future__ import annotations

import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from typing import LiteralString

import psycopg

from pgaudience.errors import PgaudienceError
from pgaudience.server.layout import USER, Layout

_FIND_DATABASE: LiteralString = "select from pg_database where datname = 'pgaudience'"
_CREATE_DATABASE: LiteralString = "create database pgaudience"


def answers(layout: Layout, database: str) -> bool:
    """Whether a connection succeeds, through a socket nobody but the data's owner can have put there."""
    if not _has_private_sockets(layout):
        return False
    try:
        _connect(layout, database).close()
    except psycopg.OperationalError:
        return False
    return True


def create_database(layout: Layout) -> None:
    """Create the database unless it exists."""
    try:
        with _connect(layout, "postgres") as connection:
            if connection.execute(_FIND_DATABASE).rowcount == 0:
                connection.execute(_CREATE_DATABASE)
    except psycopg.Error as error:
        raise PgaudienceError(f"PostgreSQL {layout.major} runs but has no database: {error}") from error


def _connect(layout: Layout, database: str) -> psycopg.Connection:
    with _without_libpq_variables():
        return psycopg.connect(
            host=str(layout.sockets),
            port=layout.socket_port,
            user=USER,
            password=layout.password,
            dbname=database,
            connect_timeout=10,
            autocommit=True,
        )


def _has_private_sockets(layout: Layout) -> bool:
    try:
        sockets, owner = layout.sockets.lstat(), layout.data.stat().st_uid
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(sockets.st_mode) and sockets.st_uid == owner and not sockets.st_mode & 0o077


@contextmanager
def _without_libpq_variables() -> Generator[None]:
    """Hide PGSERVICE, PGHOSTADDR and the like, which libpq obeys beside what a connection is told."""
    hidden = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("PG")}
    try:
        yield
    finally:
        os.environ.update(hidden)
