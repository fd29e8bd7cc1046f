"""One load: sources into the space, whole or not at all."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import partial

from pgaudience.database import Connection
from pgaudience.errors import PgaudienceError
from pgaudience.loading.entries import EntryStaging, MergedEntries
from pgaudience.loading.journal import (
    Read,
    UnfinishedError,
    finish,
    record,
    refuse_loaded,
    refuse_repeated,
    split,
)
from pgaudience.loading.merge import Merged, Mode, Rule, merge
from pgaudience.loading.staging import Staging
from pgaudience.progress import progress
from pgaudience.reading import Described, Source


def load(
    connection: Connection,
    sources: Iterable[Source],
    *,
    users: Iterable[Described] = (),
    entries: Iterable[Described] = (),
    mode: Mode = "replace",
    conflicts: Rule = "last",
    unknown: Collection[str] = (),
    force: bool = False,
    goes_on: bool = False,
) -> Merged:
    """Load activity and the attributes of users and entries in one transaction, which is committed here.

    In mode `replace` the sources together are the truth for the users they hold: loading them again changes nothing.
    In mode `add` they are increments, and a source whose content was loaded before is refused unless `force`. Where
    `goes_on`, more is to be done for this load after the commit, and `finish` says when it is; a source that is loaded
    again before that is not read: its rows are in. Who was forgotten is left out. Of several values of an attribute of
    a user that one counts which `conflicts` says; values that are `unknown` are none.

    Raises PgaudienceError, with nothing loaded, for such a source, in a space whose people are those of another one,
    and, in strict reading, at the first bad row.
    """
    once = mode == "add" and not force
    stage = partial(Staging, connection, unknown, counts=conflicts == "most")
    with connection.transaction():
        _refuse_derived(connection)
        waiting, unfinished = split(connection, sources) if once else (list(sources), [])
        try:
            with connection.transaction():
                staging, read = _read(connection, stage(), waiting, once=once, force=force)
        except UnfinishedError as error:  # of the query, the only source there is
            unfinished.append(error.found)
            staging, read = stage(), []
        for chunk in users:
            staging.add_users(chunk)
        staging.finish()
        with progress("Merging", None, "rows") as shown:
            merged = merge(connection, staging, mode, conflicts)
            shown.advance(sum(source.accepted for source in read))
        described = _describe(connection, entries, mode)
        load_keys = [*record(connection, read, mode), *(source.load_key for source in unfinished)]
        if not goes_on:
            finish(connection, load_keys)
    return replace(
        merged, entries=described, load_keys=load_keys, unfinished=unfinished, forgotten=staging.forgotten.rows
    )


def _read(
    connection: Connection, staging: Staging, sources: list[Source], *, once: bool, force: bool
) -> tuple[Staging, list[Read]]:
    read = [_stage(staging, source) for source in sources]
    staging.settle()
    if not force:
        refuse_repeated(read)
    if once:
        refuse_loaded(connection, read)
    return staging, read


def _refuse_derived(connection: Connection) -> None:
    (base,) = connection.execute("select base from space").fetchone() or (None,)
    if base is not None:
        raise PgaudienceError(
            f"this space has the people of {base!r}, so nothing is loaded here",
            f"Load there: pgaudience --schema {shlex.quote(base)} load …; then: pgaudience refresh --all",
        )


def _describe(connection: Connection, entries: Iterable[Described], mode: Mode) -> MergedEntries:
    staging = None
    for chunk in entries:
        staging = staging or EntryStaging(connection)
        staging.add(chunk)
    return staging.merge(mode) if staging else MergedEntries()


def _stage(staging: Staging, source: Source) -> Read:
    rows = accepted = consumed = 0
    with progress(f"Reading {source.name}", source.size, "bytes") as shown:
        for chunk in source.chunks():
            accepted += staging.add(chunk, source.columns.attributes)
            rows += chunk.rows
            shown.advance(chunk.consumed - consumed)
            consumed = chunk.consumed
    return Read(source.name, source.digest(), rows, accepted)
