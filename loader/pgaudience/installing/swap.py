"""`pgaudience swap`: two spaces over the same people exchange their models, in one transaction, behind one lock."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from pgaudience.database import Connection, Space, SpaceConnection, connect, use_schema, watching
from pgaudience.embedding.registry import TFIDF, is_learned
from pgaudience.errors import PgaudienceError
from pgaudience.installing import family, objects, surroundings
from pgaudience.installing.bundle import SqlFile, bundle_digest, read_bundle
from pgaudience.installing.exchange import exchange, redefine
from pgaudience.installing.locking import lock_relations
from pgaudience.installing.migrate import take_turns

_HINDRANCES = "select hindrance, mend from swap_hindrances(%s)"
_PUBLISHED = "select segmentation, published_run_id from segmentations order by segmentation"
_CONTINUE = "call continue_segments(%s)"
_RECORD_MOVES = "call record_moves(%s)"
_RENAME_PARTS = """
update {} set parts = array(
    select case p.part when %(one)s then %(other)s when %(other)s then %(one)s else p.part end
    from unnest(parts) with ordinality p (part, number)
    order by p.number
)
where parts && array[%(one)s, %(other)s]
"""


@dataclass(frozen=True, slots=True)
class Swapped:
    """The two spaces as they are now, and how long everybody was kept out of them, in seconds."""

    space: Space
    other: Space
    seconds: float


def swap(conninfo: str, schema: str, other: str, *, force: bool = False) -> Swapped:
    """Have the space `schema` answer with the model of `other`, a space over the same people, and the other way round.

    Segments of `other` get the ids and the names of those of `schema` whose users they have. People, what brings them
    in, audiences, rights and names stay where they are; to swap again is to swap back. Spaces that have one of the two
    among their parts have it still, by its new name.

    Raises PgaudienceError, with nothing changed, when the models cannot be exchanged or, without `force`, when readers
    of `schema` would miss something.
    """
    with connect(conninfo) as connection, watching(conninfo, connection):
        with connection.transaction():
            take_turns(connection)
            one, two = _find_pair(connection, schema, other)
            base = one.base or two.base or schema
            members = [base, *family.spaces_over(connection, base)]
            surroundings.become(connection, one.owner)
            since = _Swap(connection, schema, other, members).run(force=force)
        seconds = time.monotonic() - since
    return Swapped(
        Space(schema, two.model, two.dimensions, one.base), Space(other, one.model, one.dimensions, two.base), seconds
    )


def _find_pair(connection: Connection, schema: str, other: str) -> tuple[family.Found, family.Found]:
    """Return the facts of both spaces, which can be exchanged."""
    found = {name: family.find(connection, name) for name in (schema, other)}
    missing = [name for name, space in found.items() if space is None]
    if missing:
        raise PgaudienceError(f"there is no space {missing[0]!r} in this database")
    spaces = {name: space for name, space in found.items() if space is not None}
    if len(spaces) < 2:
        raise PgaudienceError(
            f"{schema!r} cannot be swapped with itself", "Name two spaces: pgaudience swap audience next"
        )
    bases = {name: space.base or name for name, space in spaces.items()}
    if bases[schema] != bases[other]:
        raise PgaudienceError(
            f"the spaces {schema!r} and {other!r} are not over the same people",
            f"Make one that is: pgaudience --schema OTHER migrate --of {shlex.quote(schema)} --model …",
        )
    if spaces[schema].owner != spaces[other].owner:
        raise PgaudienceError(
            f"the space {schema!r} belongs to {spaces[schema].owner!r}, {other!r} to {spaces[other].owner!r}",
            "Give both to one role: alter table … owner to …, for everything in the schema.",
        )
    for name, space in spaces.items():
        if schema != other and bases[name] in (schema, other) and is_learned(space.model) and space.model != TFIDF:
            raise PgaudienceError(
                f"{name!r} is a space of {space.model}, and {bases[name]!r} is where texts are understood",
                "The base can be swapped with a space of texts, others with each other.",
            )
    return spaces[schema], spaces[other]


class _Swap:
    def __init__(self, connection: SpaceConnection, schema: str, other: str, members: Sequence[str]) -> None:
        self._connection, self._schema, self._other, self._members = connection, schema, other, members
        self._files = read_bundle("install.sql")
        # What stands on another space is installed after it.
        self._pair = sorted((schema, other), key=members.index)

    def run(self, *, force: bool) -> float:
        """Exchange the models; return since when others are kept out, by time.monotonic()."""
        connection = self._connection
        has_bi = {name: self._check_current(name) for name in self._pair}
        if not force:
            self._check_ready()
        published = self._published()
        self._continue_segments()
        lock_relations(connection, [name for each in self._pair for name in (each, f"{each}_bi")])
        since = time.monotonic()
        if self._published() != published:
            self._continue_segments()

        kept = objects.files_to_keep(connection, self._files)
        stay: dict[str, list[str]] = {}
        for name in reversed(self._pair):
            use_schema(connection, name)
            stay[name] = [*kept, *objects.free_functions(connection)]
            objects.drop_installed(connection, stay[name])
        exchange(connection, self._schema, self._other, kept)
        self._rename_parts()
        for name in self._pair:
            use_schema(connection, name)
            redefine(connection, [file for file in self._files if file.path in kept])
            objects.install_space(
                connection,
                name,
                [file for file in self._files if file.path not in stay[name]],
                read_bundle("bi/install.sql") if has_bi[name] else (),
            )
            objects.compile_anew(connection)
        self._grant_again()
        for name, former in ((self._schema, self._other), (self._other, self._schema)):
            use_schema(connection, name)
            connection.execute(_RECORD_MOVES, [former])
        return since

    def _check_current(self, name: str) -> bool:
        """Raise PgaudienceError unless the space is of this release; return whether it has views for BI tools."""
        connection = self._connection
        use_schema(connection, name)
        (owner, installed) = connection.execute("select current_user, bundle_digest from space").fetchone() or ("", "")
        has_bi = bool(surroundings.may_create_in(connection, f"{name}_bi", owner))
        digest = bundle_digest(surroundings.present_roles(connection, name), with_bi=has_bi)
        if installed != digest or objects.missing(connection, name):
            raise PgaudienceError(
                f"the space {name!r} is not up to date with this pgaudience",
                f"Upgrade it: pgaudience --schema {shlex.quote(name)} migrate",
            )
        return has_bi

    def _check_ready(self) -> None:
        use_schema(self._connection, self._schema)
        found = self._connection.execute(_HINDRANCES, [self._other]).fetchall()
        if found:
            raise PgaudienceError(
                f"readers of {self._schema!r} would miss something if it had the model of {self._other!r}: "
                + "; ".join(hindrance for hindrance, _ in found),
                "Mend it before, or swap --force: " + "; ".join(dict.fromkeys(mend for _, mend in found)),
            )

    def _published(self) -> list[tuple[object, ...]]:
        use_schema(self._connection, self._schema)
        return self._connection.execute(_PUBLISHED).fetchall()

    def _continue_segments(self) -> None:
        use_schema(self._connection, self._other)
        self._connection.execute(_CONTINUE, [self._schema])

    def _rename_parts(self) -> None:
        for name in self._members:
            statement = sql.SQL(_RENAME_PARTS).format(sql.Identifier(name, "space"))
            self._connection.execute(statement, {"one": self._schema, "other": self._other})

    def _grant_again(self) -> None:
        """Let the readers of the other spaces over these people read what they understand texts by."""
        grants: SqlFile = self._files[-1]
        for name in self._members:
            if name not in self._pair:
                use_schema(self._connection, name)
                objects.install(self._connection, [grants], name)
