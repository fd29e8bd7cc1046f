"""The doctor: everything a space needs, one check each, each with its mend."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from pgaudience.database import use_schema
from pgaudience.embedding.provider import provider_for
from pgaudience.errors import PgaudienceError
from pgaudience.installing.bundle import read_bundle
from pgaudience.installing.surroundings import LEAST_SERVER, LEAST_VECTOR

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `mend` says what to do where it is not as it should be."""

    name: str
    ok: bool
    found: str
    mend: str


def run_checks(connection: Connection, schema: str) -> Iterator[Check]:
    """Yield the checks, most basic first; those that make no sense without an earlier one are left out."""
    connection.autocommit = True
    yield _server(connection)
    vector = _vector(connection)
    yield vector
    space = _space(connection, schema)
    yield space
    if not (vector.ok and space.ok):
        return
    use_schema(connection, schema)
    yield _bundle(connection)
    yield _temporary_tables(connection)
    yield from _roles(connection, schema)
    yield _bi_schema(connection, schema)
    yield _model(connection)
    yield from _data(connection)


def _one(connection: Connection, query: str, *values: object) -> Any:  # noqa: ANN401  (any type of SQL)
    found = connection.execute(query.encode(), values or None).fetchone()
    return found[0] if found else None


def _server(connection: Connection) -> Check:
    version = connection.info.server_version
    return Check(
        "server", version >= LEAST_SERVER, f"PostgreSQL {connection.info.parameter_status('server_version')}",
        "Move to PostgreSQL 16 or newer.",
    )  # fmt: skip


def _vector(connection: Connection) -> Check:
    version = _one(connection, "select extversion from pg_extension where extname = 'vector'")
    new_enough = version is not None and tuple(map(int, version.split(".")[:2])) >= LEAST_VECTOR
    mend = "alter extension vector update;" if version else "create extension vector with schema public;"
    return Check("pgvector", new_enough, version or "missing", f"Ask the DBA for: {mend}")


def _space(connection: Connection, schema: str) -> Check:
    table = sql.Identifier(schema, "space").as_string()
    present = _one(connection, "select to_regclass(%s) is not null", table)
    return Check("space", present, schema if present else f"no space {schema!r}", "Run: pgaudience migrate")


def _bundle(connection: Connection) -> Check:
    installed = {row[0] for row in connection.execute("select digest from installed_objects")}
    known = {file.digest for file in (*read_bundle("install.sql"), *read_bundle("bi/install.sql"))}
    current = bool(installed) and installed <= known
    return Check(
        "functions and views", current, "up to date" if current else "of another version", "Run: pgaudience migrate"
    )


def _temporary_tables(connection: Connection) -> Check:
    allowed = _one(connection, "select has_database_privilege(current_database(), 'temporary')")
    grant = sql.SQL("grant temporary on database {} to {};").format(
        sql.Identifier(connection.info.dbname), sql.Identifier(connection.info.user)
    )
    return Check(
        "temporary tables", allowed, "allowed" if allowed else "not allowed, so nothing can be loaded",
        f"Ask the DBA for: {grant.as_string()}",
    )  # fmt: skip


def _roles(connection: Connection, schema: str) -> Iterator[Check]:
    for role in (f"{schema}_reader", f"{schema}_writer"):
        present = _one(connection, "select to_regrole(quote_ident(%s)) is not null", role)
        create = sql.SQL("create role {} nologin;").format(sql.Identifier(role)).as_string()
        yield Check(
            f"role {role}", present, "present" if present else "missing",
            f"Ask the DBA for: {create} then run: pgaudience migrate",
        )  # fmt: skip


def _bi_schema(connection: Connection, schema: str) -> Check:
    present = _one(connection, "select count(*) > 0 from installed_objects where file like 'bi/%%'", *())
    create = sql.SQL("create schema {} authorization {};").format(
        sql.Identifier(f"{schema}_bi"), sql.Identifier(connection.info.user)
    )
    return Check(
        f"schema {schema}_bi", present, "present" if present else "missing",
        f"Ask the DBA for: {create.as_string()} then run: pgaudience migrate",
    )  # fmt: skip


def _model(connection: Connection) -> Check:
    model, dimensions = connection.execute("select model, dimensions from space").fetchone() or ("", 0)
    try:
        provider_for(model)
    except PgaudienceError as error:
        return Check("model", False, f"{model}: {error.message}", error.hint or "")
    return Check("model", True, f"{model}, {dimensions} dimensions", "")


def _data(connection: Connection) -> Iterator[Check]:
    names = ("entries_pending", "entries_failed", "stale")
    pending, failed, stale = connection.execute(
        sql.SQL("select {} from status").format(sql.SQL(", ").join(map(sql.Identifier, names)))
    ).fetchone() or (0, 0, False)
    yield Check("entries waiting for a vector", not pending, f"{pending:,}", "Run: pgaudience embed")
    yield Check(
        "entries the model refused", not failed, f"{failed:,}",
        "See why: select entry, error, attempts from entry_failures join entries using (entry_key);",
    )  # fmt: skip
    yield Check("user vectors", not stale, "stale" if stale else "up to date", "Run: pgaudience refresh")
