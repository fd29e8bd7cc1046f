"""Creating and upgrading a space: Alembic for what holds data, the sql/ bundle for the rest."""

from pgaudience.installing.migrate import Migration, migrate
from pgaudience.installing.swap import Swapped, swap
from pgaudience.installing.wishes import Materialization

__all__ = ["Materialization", "Migration", "Swapped", "migrate", "swap"]
