"""Reaching a database and a space in it."""

from pgaudience.database.blocks import read_blocks
from pgaudience.database.connection import connect, is_pooled, resolve_database
from pgaudience.database.space import ModelChanged, Space, check_model, open_space, search_path, use_schema
from pgaudience.database.transactions import Connection, SpaceConnection
from pgaudience.database.waiting import watching

__all__ = [
    "Connection",
    "ModelChanged",
    "Space",
    "SpaceConnection",
    "check_model",
    "connect",
    "is_pooled",
    "open_space",
    "read_blocks",
    "resolve_database",
    "search_path",
    "use_schema",
    "watching",
]
