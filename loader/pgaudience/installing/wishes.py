"""What a space is asked to be, and whether it can."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from pgaudience.database import Space
from pgaudience.embedding.registry import BLEND
from pgaudience.errors import PgaudienceError

Materialization = Literal["views", "tables"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a space is asked to be; by default what it is."""

    model: str | None = None
    weighting: str | None = None
    entry_template: str | None = None
    measure: Callable[[str | None], tuple[str, int]] | None = None
    materialization: Materialization | None = None
    parts: Mapping[str, float] | None = None
    distributed: bool = False


def check_materialization(schema: str, base: str | None, materialization: Materialization | None) -> None:
    """Raise PgaudienceError when a space over the people of another one is asked for its own."""
    if base is not None and materialization is not None:
        raise PgaudienceError(
            f"the space {schema!r} has the materialization of {base!r}, whose people it shares",
            f"Change it there: pgaudience --schema {shlex.quote(base)} migrate --materialize {materialization}",
        )


def check_learned(asked: Space, wanted: Wanted) -> None:
    """Raise PgaudienceError when a space of a learned model cannot be as asked for."""
    if asked.model == BLEND and wanted.parts is None:
        raise PgaudienceError("a blend is made of parts", "Name them: migrate --model blend --parts audience,taste")
    if asked.base is None:
        raise PgaudienceError(
            f"a space of {asked.model} is over the people of a space of texts, in which queries are understood",
            f"Name that one: pgaudience --schema {shlex.quote(asked.schema)} migrate --of SPACE --model {asked.model}",
        )
    if wanted.entry_template is not None:
        raise PgaudienceError(f"{asked.model} reads no texts, so it has no use for a template of them")


def check_same(space: Space, asked: Space) -> None:
    """Raise PgaudienceError when a space that exists is of another model."""
    if space != asked:
        raise PgaudienceError(
            f"the space {space.schema!r} is made for {space.model} with {space.dimensions} dimensions,"
            f" not for {asked.model} with {asked.dimensions}",
            "A space keeps its model. Make another one: pgaudience --schema OTHER migrate --model …",
        )
