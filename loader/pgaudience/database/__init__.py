"""Reaching a database and a space in it."""

from pgaudience.database.connection import connect, resolve_database
from pgaudience.database.space import Space, open_space, use_schema

__all__ = ["Space", "connect", "open_space", "resolve_database", "use_schema"]
