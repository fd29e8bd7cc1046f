"""What the options before the command say: which database, which space."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from pgaudience.errors import PgaudienceError

if TYPE_CHECKING:
    from pgaudience.database import Space, SpaceConnection

DISTRIBUTED = (
    "check", "distill", "embed", "explain", "load", "lookalikes", "migrate", "refresh", "search", "segment", "similar",
    "status",
)  # fmt: skip
"""The commands that work in a distributed space."""


@dataclass(frozen=True, slots=True)
class Target:
    """The database and the space that a command works on."""

    database: str | None
    schema: str
    schema_given: bool

    def conninfo(self) -> str:
        """Return the libpq connection string; starts the embedded server where that is the one meant."""
        from pgaudience.database import resolve_database

        return resolve_database(self.database)

    @contextmanager
    def open(self) -> Generator[tuple[SpaceConnection, Space]]:
        """Connect to the space for the time of a block."""
        from pgaudience.database import connect, open_space, watching

        conninfo = self.conninfo()
        with connect(conninfo) as connection, watching(conninfo, connection):
            space = open_space(connection, self.schema)
            command = click.get_current_context().info_name
            if space.distributed and command not in DISTRIBUTED:
                raise PgaudienceError(
                    f"{command} is not available in a distributed space",
                    f"It needs all users on one machine. There are: {', '.join(DISTRIBUTED)} (docs/scale.md)",
                )
            yield connection, space


pass_target = click.make_pass_decorator(Target)
