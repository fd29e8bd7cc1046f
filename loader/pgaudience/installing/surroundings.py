"""What stands around a space: the extension, the schemas, the roles; some of it may need a DBA."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from pgaudience.errors import PgaudienceError

Connection = psycopg.Connection[tuple[Any, ...]]

LEAST_SERVER = 160000
LEAST_VECTOR = (0, 8)
LONGEST_NAME = 48


@dataclass(slots=True)
class ForTheDba:
    """Statements that this role may not run, for somebody who may."""

    statements: list[str] = field(default_factory=list[str])


def check_name(schema: str) -> None:
    """Raise PgaudienceError when a space cannot have this name: its suffixed names must fit in 63 bytes."""
    if not 0 < len(schema.encode()) <= LONGEST_NAME or schema.startswith("pg_"):
        raise PgaudienceError(
            f"a space cannot be named {schema!r}", f"Use 1 to {LONGEST_NAME} bytes, not beginning with pg_."
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


def ensure_schema(connection: Connection, schema: str) -> None:
    """Create the schema of the space if it is missing.

    Raises PgaudienceError with the statement for the DBA where that is not allowed.
    """
    missing = ForTheDba()
    if not _create_schema(connection, schema, missing):
        raise PgaudienceError(
            f"the schema {schema!r} is missing, and this role may not create it",
            f"Ask the DBA for: {missing.statements[0]}",
        )


def ensure_bi_schema(connection: Connection, schema: str, missing: ForTheDba) -> bool:
    """Create `<space>_bi`; return whether it can be used, else add the statement to `missing`."""
    return _create_schema(connection, f"{schema}_bi", missing)


def _create_schema(connection: Connection, schema: str, missing: ForTheDba) -> bool:
    may_create = "select has_schema_privilege(oid, 'create') from pg_namespace where nspname = %s"
    found = connection.execute(may_create, [schema]).fetchone()
    if found is not None and found[0]:
        return True
    name, owner = sql.Identifier(schema), sql.Identifier(connection.info.user)
    if found is not None:
        missing.statements.append(sql.SQL("grant create, usage on schema {} to {};").format(name, owner).as_string())
        return False
    try:
        with connection.transaction():
            connection.execute(sql.SQL("create schema {}").format(name))
    except psycopg.errors.InsufficientPrivilege:
        statement = sql.SQL("create schema {} authorization {};").format(name, owner)
        missing.statements.append(statement.as_string())
        return False
    return True


def ensure_roles(connection: Connection, schema: str, missing: ForTheDba) -> list[str]:
    """Create `<space>_reader` and `<space>_writer`; return those that exist, add the others to `missing`.

    Roles belong to the whole cluster, so another database may create the same one at the same moment.
    """
    present: list[str] = []
    for role in (f"{schema}_reader", f"{schema}_writer"):
        statement = sql.SQL("create role {} nologin").format(sql.Identifier(role))
        exists = connection.execute("select exists (select from pg_roles where rolname = %s)", [role]).fetchone()
        try:
            if exists == (False,):
                with connection.transaction():
                    connection.execute(statement)
            present.append(role)
        except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
            present.append(role)
        except psycopg.errors.InsufficientPrivilege:
            missing.statements.append(statement.as_string() + ";")
    return present
