"""`pgaudience migrate`: create or upgrade a space in one transaction, behind one lock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import LiteralString

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import Connection as AlembicConnection
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from pgaudience.database import Space, SpaceConnection, connect, use_schema, watching
from pgaudience.embedding.registry import BLEND, TFIDF, is_learned
from pgaudience.errors import PgaudienceError
from pgaudience.installing import distributing, family, objects, surroundings, wishes
from pgaudience.installing.bundle import SqlFile, bundle_digest, read_bundle
from pgaudience.installing.locking import lock_relations
from pgaudience.installing.wishes import Materialization, Wanted
from pgaudience.resources import folder

LOCK_TIMEOUT = "10s"
_SPACE_TABLE = "select to_regclass(format('%I.space', current_schema()))"
_TAKEN = """
select c.relname
from pg_class c
where c.relnamespace = quote_ident(current_schema())::regnamespace
    and c.relname in (
        'users', 'entries', 'activity', 'activity_input', 'queries', 'tokens', 'status', 'loads', 'changes'
    )
order by c.relname
"""
_REWEIGHT = "update space set weighting = %s where weighting <> %s"
_SET_TEMPLATE = "update space set entry_template = %s where entry_template <> %s"
_DISTRIBUTE = "update space set distributed = true, materialization = 'tables' where not distributed"
_MATERIALIZE = "update space set materialization = %s where materialization <> %s"
_CREATE_SPACE = "insert into space (model, dimensions, base, parts, part_weights) values (%s, %s, %s, %s, %s)"
_LOCK = "select pg_advisory_xact_lock(hashtextextended('pgaudience migrate', 0))"


@dataclass(frozen=True, slots=True)
class Migration:
    """What a migration found and did."""

    space: Space
    created: bool
    changed: bool
    reweighted: bool
    has_new_template: bool
    materialization: Materialization
    for_the_dba: list[str]
    relatives: list[Migration] = field(default_factory=lambda: list[Migration]())
    """The spaces over the same people that were looked at too."""


def migrate(
    conninfo: str,
    schema: str,
    *,
    model: str | None,
    weighting: str | None,
    entry_template: str | None = None,
    of: str | None = None,
    parts: Mapping[str, float] | None = None,
    materialization: Materialization | None = None,
    distributed: bool = False,
    measure: Callable[[str | None], tuple[str, int]],
) -> Migration:
    """Create or upgrade the space `schema`; nothing happens when it is up to date.

    `measure` turns the model asked for, or None, into its full name and its dimensions; it is called for a new
    space and for a check of the one that exists. Any number of migrations may run at once: they take turns.

    A new space has the people `of` another one, if that is given; one of the model `blend` has `parts`, spaces over
    the same people with the weight of each. Spaces over the same people are upgraded together;
    they have the materialization of their base. One that is `distributed` over the machines of Citus stays so, and has
    neither a base nor spaces over its people.

    Raises PgaudienceError when the space cannot be as asked for; nothing has changed then.
    """
    surroundings.check_name(schema)
    connection = connect(conninfo)
    engine = create_engine("postgresql+psycopg://", creator=lambda: connection, poolclass=StaticPool)
    try:
        with watching(conninfo, connection), engine.begin() as transaction:
            surroundings.check_server(connection)
            take_turns(connection)
            if parts is not None:
                of, dimensions = family.check_parts(connection, list(parts))
                measure = _measured(model or BLEND, dimensions)
            base = family.find_base(connection, schema, of)
            wishes.check_materialization(schema, base, materialization)
            distributing.check(connection, schema, base, materialization, model, distributed=distributed)
            wanted = Wanted(model, weighting, entry_template, measure, materialization, parts, distributed)
            return _migrate_family(connection, transaction, schema, base, wanted)
    finally:
        engine.dispose()


def take_turns(connection: SpaceConnection) -> None:
    """Wait for all who migrate or swap spaces; then have the transaction wait for others for a short time only."""
    connection.execute("select set_config('lock_timeout', %s, true)", [connection.lock_timeout])
    connection.execute(_LOCK)
    connection.lock_timeout = LOCK_TIMEOUT


def _measured(model: str, dimensions: int) -> Callable[[str | None], tuple[str, int]]:
    return lambda _: (model, dimensions)


def _migrate_family(
    connection: SpaceConnection, transaction: AlembicConnection, schema: str, base: str | None, wanted: Wanted
) -> Migration:
    """Migrate the space with all others over the same people: first the base, whose tables they stand on."""
    root = base or schema
    names = dict.fromkeys([root, *family.spaces_over(connection, root), schema])
    members = [_Migrator(connection, transaction, name, None if name == root else root, list(names)) for name in names]
    if members[0].is_behind_in_tables():
        for member in members[1:]:
            member.take_down()
    done: dict[str, Migration] = {}
    for member in members:
        asked = wanted if member.schema == schema else Wanted()
        if root in done:
            asked = replace(asked, materialization=done[root].materialization)
        done[member.schema] = member.run(asked, again=root in done and done[root].changed)
    asked_for = done.pop(schema)
    return replace(asked_for, relatives=list(done.values()))


class _Migrator:
    def __init__(
        self,
        connection: SpaceConnection,
        transaction: AlembicConnection,
        schema: str,
        base: str | None,
        names: list[str],
    ) -> None:
        self._connection, self._transaction, self.schema, self._base = connection, transaction, schema, base
        self._schemas = [schema for name in names for schema in (name, f"{name}_bi")]
        self._indexes: list[objects.Index] = []

    def is_behind_in_tables(self) -> bool:
        """Whether the space exists and its tables are of a former release."""
        owner = surroundings.owner_of_space(self._connection, self.schema)
        with surroundings.acting_as(self._connection, owner):
            return self._exists() and self._alembic_is_behind()

    def take_down(self) -> None:
        """Drop all that stands on the tables of the base, if the space exists; `run` makes it anew."""
        owner = surroundings.owner_of_space(self._connection, self.schema)
        with surroundings.acting_as(self._connection, owner):
            if self._exists():
                lock_relations(self._connection, self._schemas)
                self._indexes = objects.indexes_of_copies(self._connection, [])
                objects.drop_installed(self._connection, [])
                family.part(self._connection, self.schema)
                self._connection.execute("update space set bundle_digest = null")

    def run(self, wanted: Wanted, *, again: bool) -> Migration:
        """Create or upgrade the space, or do nothing; with `again`, install it anew although it is up to date."""
        missing = surroundings.ForTheDba()
        surroundings.become_oneself(self._connection)
        surroundings.ensure_extension(self._connection)
        owner = surroundings.owner_of_space(self._connection, self._base or self.schema)
        surroundings.ensure_schema(self._connection, self.schema, owner)
        has_bi = surroundings.ensure_bi_schema(self._connection, self.schema, owner, missing)
        roles = surroundings.ensure_roles(self._connection, self.schema, missing)
        surroundings.become(self._connection, owner)

        space = self._find_space()
        created = space is None
        if wanted.measure is not None and (space is None or wanted.model is not None):
            model, dimensions = wanted.measure(wanted.model)
            asked = Space(self.schema, model, dimensions, self._base)
            if is_learned(model) and model != TFIDF:
                wishes.check_learned(asked, wanted)
            if space is not None:
                wishes.check_same(space, asked)
                self._check_same_parts(wanted)
            space = asked
        if space is None:
            raise PgaudienceError(f"there is no space {self.schema!r}")

        files = read_bundle("install.sql")
        bi_files = read_bundle("bi/install.sql") if has_bi else ()
        digest = bundle_digest(roles, with_bi=has_bi)
        former = None if created else self._materialization()
        changed = (
            created
            or again
            or self._is_behind(digest)
            or wanted.materialization not in (None, former)
            or wanted.distributed > objects.is_distributed(self._connection)
        )
        if changed:
            self._upgrade(space, wanted, created, files, bi_files, digest)
        reweighted = self._set(_REWEIGHT, wanted.weighting)
        has_new_template = self._set(_SET_TEMPLATE, wanted.entry_template)
        materialization = self._materialization()
        return Migration(space, created, changed, reweighted, has_new_template, materialization, missing.statements)

    def _materialization(self) -> Materialization:
        """Return what the space has; one of a former release has views."""
        found = self._connection.execute("select to_jsonb(s) ->> 'materialization' from space s").fetchone()
        return "tables" if found == ("tables",) else "views"

    def _check_same_parts(self, wanted: Wanted) -> None:
        (parts,) = self._connection.execute("select to_jsonb(s) -> 'parts' from space s").fetchone() or (None,)
        if wanted.parts is not None and list(wanted.parts) != parts:
            raise PgaudienceError(f"the parts of the space {self.schema!r} are others", "Make another blend of these.")

    def _set(self, statement: LiteralString, policy: str | None) -> bool:
        return policy is not None and bool(self._connection.execute(statement, [policy] * 2).rowcount)

    def _exists(self) -> bool:
        use_schema(self._connection, self.schema)
        return self._connection.execute(_SPACE_TABLE).fetchone() != (None,)

    def _find_space(self) -> Space | None:
        if not self._exists():
            self._check_room()
            return None
        found = self._connection.execute("select model, dimensions from space").fetchone()
        return Space(self.schema, found[0], found[1], self._base) if found else None

    def _check_room(self) -> None:
        taken = [row[0] for row in self._connection.execute(_TAKEN).fetchall()]
        if taken:
            raise PgaudienceError(
                f"the schema {self.schema!r} already has relations of these names: {', '.join(taken)}",
                "A space needs a schema of its own: pgaudience --schema OTHER migrate",
            )

    def _is_behind(self, digest: str) -> bool:
        installed = self._connection.execute("select bundle_digest from space").fetchone()
        return (
            installed != (digest,)
            or bool(objects.missing(self._connection, self.schema))
            or bool(surroundings.roles_without_rights(self._connection, self.schema))
        )

    def _alembic_is_behind(self) -> bool:
        context = MigrationContext.configure(self._transaction, opts={"version_table_schema": self.schema})
        return context.get_current_revision() != ScriptDirectory(str(folder("migrations"))).get_current_head()

    def _upgrade(
        self,
        space: Space,
        wanted: Wanted,
        created: bool,
        files: tuple[SqlFile, ...],
        bi_files: tuple[SqlFile, ...],
        digest: str,
    ) -> None:
        connection = self._connection
        kept: list[str] = []
        indexes: list[objects.Index] = []
        if not created:
            lock_relations(connection, self._schemas)
            if (
                not self._alembic_is_behind()
                and wanted.materialization in (None, self._materialization())
                and not wanted.distributed > objects.is_distributed(connection)
            ):
                kept = objects.files_to_keep(connection, files)
            indexes = self._indexes or objects.indexes_of_copies(connection, kept)
            objects.drop_installed(connection, kept)
        self._run_alembic(space)
        if created:
            parts = [list(wanted.parts), list(wanted.parts.values())] if wanted.parts else [None, None]
            connection.execute(_CREATE_SPACE, [space.model, space.dimensions, space.base, *parts])
        self._set(_MATERIALIZE, wanted.materialization)
        if wanted.distributed:
            connection.execute(_DISTRIBUTE)
        if space.base is not None:
            family.share(connection, space.schema, space.base)
        objects.install_space(connection, space.schema, [file for file in files if file.path not in kept], bi_files)
        objects.restore_indexes(connection, indexes)
        connection.execute("update space set bundle_digest = %s", [digest])

    def _run_alembic(self, space: Space) -> None:
        config = Config()
        config.set_main_option("script_location", str(folder("migrations")).replace("%", "%%"))
        base = None if space.base is None else sql.Identifier(space.base).as_string(self._connection)
        config.attributes.update(
            connection=self._transaction, schema=space.schema, dimensions=space.dimensions, base=base
        )
        command.upgrade(config, "head")
