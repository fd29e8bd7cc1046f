"""The doctor: everything a space needs, one check each, each with its mend."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from pgaudience.database import Connection, SpaceConnection, use_schema
from pgaudience.distilling import distillation_due
from pgaudience.embedding.provider import model_folder
from pgaudience.embedding.registry import ATTRIBUTES, TFIDF, VECTORS, is_learned, provider_for
from pgaudience.encoding import encoder_state, has_encoder, runnable_model, source_digest
from pgaudience.errors import PgaudienceError
from pgaudience.installing import objects
from pgaudience.installing.bundle import bundle_digest
from pgaudience.installing.surroundings import (
    LEAST_SERVER,
    LEAST_VECTOR,
    present_roles,
    role_names,
    roles_without_rights,
    statement_for_schema,
)
from pgaudience.learning import training_due

_SPACE = """
select has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = %s and c.relname = 'space'
"""
_GIVEN = "select (select count(*) from entry_vectors), (select count(*) from given_user_vectors)"
# A code is one word with a digit, or has no word; an abbreviation has a word of three letters or more without a vowel.
_ODD_ENTRIES = """
select coalesce(avg((
    e.entry !~ '[[:alpha:]]{2}' and e.entry ~ '^[[:ascii:]]*$'
    or e.entry ~ '^[A-Za-z0-9_./#-]*[0-9][A-Za-z0-9_./#-]*$'
    or e.entry ~* '(^|[^[:alnum:]])[b-df-hj-np-tv-xz]{3,}($|[^[:alnum:]])'
)::integer), 0)::double precision
from (select s.entry_key from entry_stats s order by s.users desc, s.entry_key limit 1000) common
join entries e using (entry_key)
"""
_MOST_ODD_ENTRIES = 0.05
_IS_STALE = "select stale from freshness"
_HAS_BI = "select exists (select from installed_objects where starts_with(file, 'bi/'))"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `mend` says what to do where it is not as it should be."""

    name: str
    ok: bool
    found: str
    mend: str


def run_checks(connection: SpaceConnection, schema: str, *, deep: bool = False) -> Iterator[Check]:
    """Yield the checks, most basic first; those that make no sense without an earlier one are left out.

    With `deep`, what a refresh keeps is compared with the views that define it, for a sample of users.
    """
    connection.autocommit = True
    yield _server(connection)
    vector = _vector(connection)
    yield vector
    space = _space(connection, schema)
    yield space
    if not (vector.ok and space.ok):
        return
    use_schema(connection, schema)
    base = _one(connection, "select to_jsonb(s) ->> 'base' from space s")
    if base is not None:
        there = _one(connection, "select to_regclass('users') is not null")
        yield Check(
            "base", there, base if there else f"{base} is gone, and the people of {schema} with it",
            f"See what is to be done: pgaudience --schema {shlex.quote(schema)} migrate",
        )  # fmt: skip
        if not there:
            return
    bundle = _bundle(connection, schema)
    yield bundle
    yield _temporary_tables(connection)
    yield from _roles(connection, schema)
    yield _bi_schema(connection, schema)
    yield _model(connection)
    if bundle.ok:
        yield from _data(connection)
        if deep:
            yield _copies(connection)


def _one(connection: Connection, query: str, *values: object) -> Any:
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
    allowed = _one(connection, _SPACE, schema)
    if allowed is None:
        return Check("space", False, f"no space {schema!r}", "Run: pgaudience migrate")
    grant = sql.SQL("grant {} to {};").format(
        sql.Identifier(role_names(schema)[0]), sql.Identifier(connection.info.user)
    )
    return Check(
        "space", allowed, schema if allowed else f"this role may not read {schema!r}",
        f"Ask its owner for: {grant.as_string()}",
    )  # fmt: skip


def _bundle(connection: Connection, schema: str) -> Check:
    with_bi = _one(connection, _HAS_BI)
    digest = bundle_digest(present_roles(connection, schema), with_bi=with_bi)
    found = "up to date"
    if _one(connection, "select bundle_digest from space") != digest:
        found = "of another version"
    elif missing := objects.missing(connection, schema):
        found = f"{len(missing)} missing: {', '.join(missing[:3])}"
    return Check("functions and views", found == "up to date", found, "Run: pgaudience migrate")


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
    present, without_rights = present_roles(connection, schema), roles_without_rights(connection, schema)
    for role in role_names(schema):
        create = sql.SQL("create role {} nologin;").format(sql.Identifier(role)).as_string()
        ask = f"Ask the DBA for: {create} then run"
        found = "missing" if role not in present else "without rights" if role in without_rights else "present"
        mend = f"{'Run' if role in present else ask}: pgaudience migrate"
        yield Check(f"role {role}", found == "present", found, mend)


def _bi_schema(connection: Connection, schema: str) -> Check:
    name = f"{schema}_bi"
    owner = _one(connection, "select pg_get_userbyid(relowner) from pg_class where oid = 'space'::regclass")
    usable = _one(
        connection, "select has_schema_privilege(%s, oid, 'create') from pg_namespace where nspname = %s", owner, name
    )
    installed = usable is not None and _one(connection, _HAS_BI)
    ask = f"Ask the DBA for: {statement_for_schema(name, owner, exists=usable is not None)} then run"
    found = "present" if installed else "missing" if usable is None else "without its views"
    return Check(f"schema {name}", installed, found, f"{'Run' if usable else ask}: pgaudience migrate")


def _model(connection: Connection) -> Check:
    model, dimensions = connection.execute("select model, dimensions from space").fetchone() or ("", 0)
    try:
        if not is_learned(model):
            provider_for(model)
    except PgaudienceError as error:
        return Check("model", False, f"{model}: {error.message}", error.hint or "")
    return Check("model", True, f"{model}, {dimensions} dimensions", "")


def _data(connection: Connection) -> Iterator[Check]:
    names = ("entries_pending", "entries_outdated", "entries_failed", "stale")
    pending, outdated, failed, stale = connection.execute(
        sql.SQL("select {} from status").format(sql.SQL(", ").join(map(sql.Identifier, names)))
    ).fetchone() or (0, 0, 0, False)
    waiting = pending + outdated
    learned = is_learned(_one(connection, "select model from space"))
    if learned:
        yield _learned_vectors(connection)
    else:
        yield Check("entries waiting for a vector", not waiting, f"{waiting:,}", "Run: pgaudience embed")
    yield Check(
        "entries the model refused", learned or not failed, f"{failed:,}",
        "See why: select entry, error, attempts from entry_failures join entries using (entry_key);",
    )  # fmt: skip
    yield _entries_in_words(connection)
    yield Check("user vectors", not stale, "stale" if stale else "up to date", "Run: pgaudience refresh")
    if learned:
        return
    if has_encoder(connection):
        yield _encoder(connection)
    else:
        yield _no_encoder(connection)
        yield _token_table(connection)


def _copies(connection: Connection) -> Check:
    """Whether what a refresh keeps is as defined; of what has changed since, or changes meanwhile, nothing is said."""
    stale = _one(connection, _IS_STALE)
    compared = [] if stale else connection.execute("select * from compare_copies()").fetchall()
    wrong = [f"{different:,} of {rows:,} rows of {relation}" for relation, rows, different in compared if different]
    stale = stale or _one(connection, _IS_STALE)
    has_tables = _one(connection, "select materialization = 'tables' from space")
    anew = "pgaudience migrate --materialize views, then --materialize tables" if has_tables else "pgaudience refresh"
    found = "not compared, as they are stale" if stale else ", ".join(wrong) or "as defined"
    return Check("user vectors as defined", bool(stale) or not wrong, found, f"Run: {anew}")


def _entries_in_words(connection: Connection) -> Check:
    """Whether texts are what a model of language knows, or the space embeds something beside them."""
    odd = _one(connection, _ODD_ENTRIES)
    plain = _one(connection, "select entry_template = '{entry}' from space")
    return Check(
        "entries in words", odd < _MOST_ODD_ENTRIES or not plain,
        f"{odd:.0%} of the commonest look like codes or abbreviations".replace("%", " %", 1),
        "Say what they mean: pgaudience enrich --glossary FILE, or with a chat model, pgaudience enrich --dry-run",
    )  # fmt: skip


def _no_encoder(connection: Connection) -> Check:
    """Whether there could be one."""
    try:
        runnable_model(provider_for(_one(connection, "select model from space")))
    except PgaudienceError as error:
        return Check("model in SQL", True, f"none: {error.message}", "")
    return Check("model in SQL", False, "not stored", "Run, as the owner of the space: pgaudience migrate")


def _encoder(connection: Connection) -> Check:
    mend = "Run: pgaudience migrate"
    try:
        state = encoder_state(connection)
    except psycopg.errors.DataException as error:
        return Check("model in SQL", False, error.diag.message_primary or "wrong", mend)
    if not state.is_intact:
        return Check("model in SQL", False, "incomplete, or changed since it was stored", mend)
    if state.is_right and not _is_that_of_the_folder(connection):
        return Check(
            "model in SQL", False, "not the one that is in the model's folder now",
            "Put the former files back, as its vectors are in the space; or make a space for the new ones: pgaudience"
            " --schema OTHER migrate --model MODEL",
        )  # fmt: skip
    return Check("model in SQL", state.is_right, f"cosine {state.similarity:.6f} to the model itself", mend)


def _is_that_of_the_folder(connection: Connection) -> bool:
    """Whether the files are those that were stored; they are if there are none."""
    try:
        folder = model_folder(provider_for(_one(connection, "select model from space")))
    except PgaudienceError:
        return True
    return folder is None or _one(connection, "select source_digest from encoder") == source_digest(folder)


def _learned_vectors(connection: Connection) -> Check:
    fitted, model = connection.execute("select trained_pairs, model from space").fetchone() or (None, "")
    if model == VECTORS:
        entries, users = connection.execute(_GIVEN).fetchone() or (0, 0)
        return Check(
            "vectors made elsewhere", entries + users > 0, f"of {entries:,} entries, {users:,} users",
            "Run: pgaudience load --vectors FILE",
        )  # fmt: skip
    what = {ATTRIBUTES: "users", TFIDF: "entries"}.get(model, "pairs")
    return Check(
        "learned vectors", not training_due(connection), f"of {fitted:,} {what}" if fitted else "none yet",
        "Run: pgaudience train",
    )  # fmt: skip


def _token_table(connection: Connection) -> Check:
    fitted = _one(connection, "select distilled_entries from space where exists (select from tokens)")
    return Check(
        "token table", not distillation_due(connection), f"fitted to {fitted:,} entries" if fitted else "none yet",
        "Run: pgaudience distill",
    )  # fmt: skip
