"""`pgaudience migrate`: create or upgrade a space in one transaction, behind one lock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection as AlembicConnection
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from pgaudience.database import Space, connect, use_schema
from pgaudience.errors import PgaudienceError
from pgaudience.installing import objects, surroundings
from pgaudience.installing.bundle import SqlFile, bundle_digest, read_bundle
from pgaudience.resources import folder

Connection = psycopg.Connection[tuple[Any, ...]]

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
_LOCK = "select pg_advisory_xact_lock(hashtextextended('pgaudience migrate', 0))"


@dataclass(frozen=True, slots=True)
class Migration:
    """What a migration found and did."""

    space: Space
    created: bool
    changed: bool
    reweighted: bool
    has_new_template: bool
    for_the_dba: list[str]


def migrate(
    conninfo: str,
    schema: str,
    *,
    model: str | None,
    weighting: str | None,
    entry_template: str | None = None,
    measure: Callable[[str | None], tuple[str, int]],
) -> Migration:
    """Create or upgrade the space `schema`; nothing happens when it is up to date.

    `measure` turns the model asked for, or None, into its full name and its dimensions; it is called for a new
    space and for a check of the one that exists. Any number of migrations may run at once: they take turns.

    Raises PgaudienceError when the space cannot be as asked for; nothing has changed then.
    """
    surroundings.check_name(schema)
    connection = connect(conninfo)
    engine = create_engine("postgresql+psycopg://", creator=lambda: connection, poolclass=StaticPool)
    try:
        with engine.begin() as transaction:
            surroundings.check_server(connection)
            connection.execute(_LOCK)
            connection.execute("select set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
            return _Migrator(connection, transaction, schema).run(model, weighting, entry_template, measure)
    except psycopg.errors.LockNotAvailable as error:
        raise PgaudienceError(
            "another session is using the space, so it cannot be upgraded now",
            "Try again; pg_stat_activity shows who holds it.",
        ) from error
    finally:
        engine.dispose()


class _Migrator:
    def __init__(self, connection: Connection, transaction: AlembicConnection, schema: str) -> None:
        self._connection, self._transaction, self._schema = connection, transaction, schema

    def run(
        self,
        model: str | None,
        weighting: str | None,
        entry_template: str | None,
        measure: Callable[[str | None], tuple[str, int]],
    ) -> Migration:
        missing = surroundings.ForTheDba()
        surroundings.ensure_extension(self._connection)
        owner = surroundings.owner_of_space(self._connection, self._schema)
        surroundings.ensure_schema(self._connection, self._schema, owner)
        has_bi = surroundings.ensure_bi_schema(self._connection, self._schema, owner, missing)
        roles = surroundings.ensure_roles(self._connection, self._schema, missing)
        surroundings.become(self._connection, owner)
        use_schema(self._connection, self._schema)

        space = self._find_space()
        created = space is None
        if space is None:
            space = Space(self._schema, *measure(model))
        elif model is not None:
            _check_same(space, *measure(model))

        files = read_bundle("install.sql")
        bi_files = read_bundle("bi/install.sql") if has_bi else ()
        digest = bundle_digest(roles, with_bi=has_bi)
        changed = created or self._is_behind(digest)
        if changed:
            self._upgrade(space, created, files, bi_files, digest)
        reweighted = weighting is not None and bool(self._connection.execute(_REWEIGHT, [weighting] * 2).rowcount)
        has_new_template = entry_template is not None and bool(
            self._connection.execute(_SET_TEMPLATE, [entry_template] * 2).rowcount
        )
        return Migration(space, created, changed, reweighted, has_new_template, missing.statements)

    def _find_space(self) -> Space | None:
        if self._connection.execute(_SPACE_TABLE).fetchone() == (None,):
            self._check_room()
            return None
        found = self._connection.execute("select model, dimensions from space").fetchone()
        return Space(self._schema, *found) if found else None

    def _check_room(self) -> None:
        taken = [row[0] for row in self._connection.execute(_TAKEN).fetchall()]
        if taken:
            raise PgaudienceError(
                f"the schema {self._schema!r} already has relations of these names: {', '.join(taken)}",
                "A space needs a schema of its own: pgaudience --schema OTHER migrate",
            )

    def _is_behind(self, digest: str) -> bool:
        installed = self._connection.execute("select bundle_digest from space").fetchone()
        return (
            installed != (digest,)
            or bool(objects.missing(self._connection, self._schema))
            or bool(surroundings.roles_without_rights(self._connection, self._schema))
        )

    def _alembic_is_behind(self) -> bool:
        context = MigrationContext.configure(self._transaction, opts={"version_table_schema": self._schema})
        return context.get_current_revision() != ScriptDirectory(str(folder("migrations"))).get_current_head()

    def _upgrade(
        self, space: Space, created: bool, files: tuple[SqlFile, ...], bi_files: tuple[SqlFile, ...], digest: str
    ) -> None:
        connection = self._connection
        kept: list[str] = []
        indexes: list[objects.Index] = []
        if not created:
            if not self._alembic_is_behind():
                kept = objects.files_to_keep(connection, files)
            indexes = objects.matview_indexes(connection, kept)
            objects.drop_installed(connection, kept)
        self._run_alembic(space)
        if created:
            connection.execute("insert into space (model, dimensions) values (%s, %s)", [space.model, space.dimensions])
        self._install([file for file in files if file.path not in kept], bi_files)
        objects.restore_indexes(connection, indexes)
        connection.execute("update space set bundle_digest = %s", [digest])

    def _run_alembic(self, space: Space) -> None:
        config = Config()
        config.set_main_option("script_location", str(folder("migrations")).replace("%", "%%"))
        config.attributes.update(connection=self._transaction, schema=space.schema, dimensions=space.dimensions)
        command.upgrade(config, "head")

    def _install(self, files: list[SqlFile], bi_files: tuple[SqlFile, ...]) -> None:
        *definitions, grants = files
        for file in definitions:
            objects.install(self._connection, file, [self._schema])
        use_schema(self._connection, f"{self._schema}_bi", self._schema)
        for file in bi_files:
            objects.install(self._connection, file, [f"{self._schema}_bi"])
        use_schema(self._connection, self._schema)
        objects.install(self._connection, grants, [self._schema])


def _check_same(space: Space, model: str, dimensions: int) -> None:
    if (space.model, space.dimensions) != (model, dimensions):
        raise PgaudienceError(
            f"the space {space.schema!r} is made for {space.model} with {space.dimensions} dimensions,"
            f" not for {model} with {dimensions}",
            "A space keeps its model. Make another one: pgaudience --schema OTHER migrate --model …",
        )
