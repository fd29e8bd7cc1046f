"""The embedded PostgreSQL server: one home folder, one server a major version, alive between commands."""

from pgaudience.server.binaries import binary
from pgaudience.server.embedded import EmbeddedServer
from pgaudience.server.layout import default_home

__all__ = ["EmbeddedServer", "binary", "default_home"]
