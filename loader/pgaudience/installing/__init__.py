"""Creating and upgrading a space: Alembic for what holds data, the sql/ bundle for the rest."""

from pgaudience.installing.migrate import Migration, migrate

__all__ = ["Migration", "migrate"]
