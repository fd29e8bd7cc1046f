"""What stands around a space: the extension, the schemas, the roles; some of it may need a DBA."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import LiteralString

import psycopg
from psycopg import sql

from pgaudience.database import Connection
from pgaudience.errors import PgaudienceError

LEAST_SERVER = 160000
LEAST_VECTOR = (0, 8)
LONGEST_NAME = 48

_NOT_SPACES = ("$user", "information_schema", "public")

_CREATE_SCHEMA = "create schema {} authorization {};"
_GRANT_SCHEMA = "grant create, usage on schema {} to {} with grant option;"
_CREATE_ROLE = "create role {} nologin;"

_OWNER = """
select o.name, pg_has_role(o.name, 'set')
from (
    select coalesce(
        (
            select pg_get_userbyid(c.relowner)
            from pg_class c
            join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = %s and c.relname = 'space'
        ),
        current_user
    ) as name
) o
"""

# Where there are no views for BI tools, nobody can lack the right to read them.
_WITHOUT_RIGHTS = """
select w.role
from (
    values
        (%(schema)s::text || '_reader', to_regclass(format('%%I.space', %(schema)s::text))),
        (%(schema)s::text || '_writer', to_regclass(format('%%I.space', %(schema)s::text))),
        (%(schema)s::text || '_bi_reader', to_regclass(format('%%I.users', %(schema)s::text || '_bi')))
) w (role, relation)
join pg_roles r on r.rolname = w.role
where not has_table_privilege(r.oid, w.relation, 'select')
"""


@dataclass(slots=True)
class ForTheDba:
    """Statements that this role may not run, for somebody who may."""

    statements: list[str] = field(default_factory=list[str])


def check_name(schema: str) -> None:
    """Raise PgaudienceError when a space cannot have this name: its suffixed names must fit in 63 bytes.

    search_path takes "$user" for the name of the role, even in quotes. In `public` others have tables of their own, and
    the names of the space would be found by everybody.
    """
    if not 0 < len(schema.encode()) <= LONGEST_NAME or schema.startswith("pg_") or schema in _NOT_SPACES:
        raise PgaudienceError(
            f"a space cannot be named {schema!r}",
            f"Use 1 to {LONGEST_NAME} bytes, not beginning with pg_, and a schema of its own.",
        )


def check_server(connection: Connection) -> None:
    """Raise PgaudienceError when the server is too old, or its database is not UTF-8."""
    if connection.info.server_version < LEAST_SERVER:
        raise PgaudienceError(
            f"the server is PostgreSQL {connection.info.parameter_status('server_version')}",
            "pgaudience needs PostgreSQL 16 or newer.",
        )
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise PgaudienceError(
            f"the database is encoded in {encoding}", "Create one with: create database … encoding 'UTF8'"
        )


def ensure_extension(connection: Connection) -> None:
    """Create pgvector in `public` if the database lacks it.

    Raises PgaudienceError with the statement for the DBA where that is not allowed, or when it is too old.
    """
    statement = sql.SQL("create extension vector with schema public")
    if _version_of_vector(connection) is None:
        try:
            with connection.transaction():
                connection.execute(statement)
        except psycopg.errors.InsufficientPrivilege as error:
            raise PgaudienceError(
                "the extension vector is missing, and this role may not create it",
                f"Ask the DBA for: {statement.as_string()};",
            ) from error
        except (psycopg.errors.UndefinedFile, psycopg.errors.FeatureNotSupported) as error:
            raise PgaudienceError(
                "pgvector is not installed on the server", "See https://github.com/pgvector/pgvector#installation"
            ) from error
    version = _version_of_vector(connection) or ""
    if tuple(int(part) for part in version.split(".")[:2]) < LEAST_VECTOR:
        raise PgaudienceError(f"pgvector {version} is too old", "Ask the DBA for: alter extension vector update;")


def _version_of_vector(connection: Connection) -> str | None:
    found = connection.execute("select extversion from pg_extension where extname = 'vector'").fetchone()
    return found[0] if found else None


def owner_of_space(connection: Connection, schema: str) -> str:
    """Return the role that owns the space, or is going to: this one, where there is no space yet.

    Raises PgaudienceError when this role may not act as the owner.
    """
    owner, allowed = connection.execute(_OWNER, [schema]).fetchone() or ("", False)
    if not allowed:
        raise PgaudienceError(
            f"the space {schema!r} belongs to {owner!r}", f"Connect as {owner}, or as a role that may set role {owner}."
        )
    return owner


def become(connection: Connection, owner: str) -> None:
    """Go on as the owner for this transaction, so that what somebody mightier upgrades stays the owner's."""
    connection.execute(sql.SQL("set local role {}").format(sql.Identifier(owner)))


def become_oneself(connection: Connection) -> None:
    """Go on as the role that has logged in."""
    connection.execute("reset role")


@contextmanager
def acting_as(connection: Connection, owner: str) -> Generator[None]:
    """Be the owner for the time of a block; one that fails leaves that to the end of the transaction."""
    become(connection, owner)
    yield
    become_oneself(connection)


def ensure_schema(connection: Connection, schema: str, owner: str) -> None:
    """Create the schema of the space if it is missing.

    Raises PgaudienceError with the statement for the DBA where that is not allowed.
    """
    missing = ForTheDba()
    if not _create_schema(connection, schema, owner, missing):
        raise PgaudienceError(
            f"this role may not create the schema {schema!r}, or objects in it",
            f"Ask the DBA for: {missing.statements[0]}",
        )


def ensure_bi_schema(connection: Connection, schema: str, owner: str, missing: ForTheDba) -> bool:
    """Create `<space>_bi`; return whether its owner can use it, else add the statement to `missing`."""
    return _create_schema(connection, f"{schema}_bi", owner, missing)


def may_create_in(connection: Connection, schema: str, owner: str) -> bool | None:
    """Return whether the role may create objects in the schema; None if there is no such schema."""
    found = connection.execute(
        "select has_schema_privilege(%s, oid, 'create') from pg_namespace where nspname = %s", [owner, schema]
    ).fetchone()
    return found[0] if found else None


def _create_schema(connection: Connection, schema: str, owner: str, missing: ForTheDba) -> bool:
    found = may_create_in(connection, schema, owner)
    statement = statement_for_schema(schema, owner, exists=found is not None)
    if found is not None:
        if not found:
            missing.statements.append(statement)
        return found
    try:
        with connection.transaction():
            connection.execute(statement.encode())
    except psycopg.errors.InsufficientPrivilege:
        missing.statements.append(statement)
        return False
    return True


def statement_for_schema(schema: str, owner: str, *, exists: bool) -> str:
    """Return the statement that lets the owner of a space use a schema."""
    return _compose(_GRANT_SCHEMA if exists else _CREATE_SCHEMA, schema, owner)


def _compose(statement: LiteralString, *names: str) -> str:
    return sql.SQL(statement).format(*map(sql.Identifier, names)).as_string()


def ensure_roles(connection: Connection, schema: str, missing: ForTheDba) -> list[str]:
    """Create the roles that hold the grants of a space; return those that exist, add the others to `missing`.

    Roles belong to the whole cluster, so another database may create the same one at the same moment.
    """
    for role in role_names(schema):
        statement = _compose(_CREATE_ROLE, role)
        try:
            if role not in present_roles(connection, schema):
                with connection.transaction():
                    connection.execute(statement.encode())
        except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
            continue
        except psycopg.errors.InsufficientPrivilege:
            missing.statements.append(statement)
    return present_roles(connection, schema)


def role_names(schema: str) -> tuple[str, str, str]:
    """Return the names of the roles that hold the grants of a space."""
    return f"{schema}_reader", f"{schema}_writer", f"{schema}_bi_reader"


def present_roles(connection: Connection, schema: str) -> list[str]:
    """Return those of these roles that exist."""
    found = connection.execute(
        "select rolname from pg_roles where rolname = any (%s) order by rolname", [list(role_names(schema))]
    )
    return [row[0] for row in found]


def roles_without_rights(connection: Connection, schema: str) -> list[str]:
    """Return those of these roles that may not read the space: made, or made anew, since the last installation."""
    return [row[0] for row in connection.execute(_WITHOUT_RIGHTS, {"schema": schema})]
