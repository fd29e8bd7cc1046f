"""The command that brings data in: load."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict, Unpack

import click

from pgaudience.cli.reports import propose_template, report, report_entries, report_family, report_vectors
from pgaudience.cli.target import Target, pass_target
from pgaudience.terminal import escaped

if TYPE_CHECKING:
    from pgaudience.reading import Columns, Period, Rejects, RowTemplate, SequenceTemplate, Source

FORMATS = ("csv", "tsv", "json", "jsonl", "parquet", "xlsx")


class SourceOptions(TypedDict):
    """What files and queries have in common: see open_source."""

    columns: Columns
    rejects: Rejects
    rows: RowTemplate | None
    period: Period | None
    decimal: str | None
    sequences: SequenceTemplate | None


def _delimiter(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Take a delimiter as people write it on a shell."""
    delimiter = {"tab": "\t", "\\t": "\t"}.get(value or "", value)
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise click.BadParameter("one character, or tab")
    return delimiter


@click.command()
@click.argument("files", nargs=-1, metavar="FILE…")
@click.option("--users", "users_file", metavar="FILE", help="One row a user; its other columns are attributes.")
@click.option("--users-id", metavar="COLUMN", help="The user column of that file. [default: guessed]")
@click.option("--entries", "entries_file", metavar="FILE", help="Rows of an entry and its attributes.")
@click.option("--entries-entry", metavar="COLUMN", help="The entry column of that file. [default: guessed]")
@click.option("--vectors", "vectors_file", metavar="FILE",
              help="Vectors made elsewhere, of users or entries (migrate --model vectors).")  # fmt: skip
@click.option("--ids", "ids_file", metavar="FILE", help="Whose the rows of an .npy file of vectors are.")
@click.option("--format", "format_", type=click.Choice(FORMATS), help="[default: from the file's name]")
@click.option(
    "--delimiter", metavar="CHARACTER", callback=_delimiter, help="What parts the fields of CSV. [default: guessed]"
)
@click.option("--decimal", type=click.Choice([",", "."]), help="The sign before the decimals of a frequency.")
@click.option("--query", metavar="SQL", help="Rows from another database instead of files.")
@click.option("--source", metavar="URL", help="That database, as an SQLAlchemy URL.")
@click.option("--user", metavar="COLUMN", help="Who. [default: guessed]")
@click.option("--entry", metavar="COLUMN", help="Did what. [default: guessed]")
@click.option("--frequency", metavar="COLUMN", help="How often. [default: guessed; without one, each row is an event]")
@click.option("--occurred-at", metavar="COLUMN", help="When. [default: guessed]")
@click.option("--session", metavar="COLUMN", help="The order or visit it was part of: see docs/spaces.md.")
@click.option(
    "--since", metavar="TIME", help="Only rows from this time on, as 2026-05-31; a row without a time is left out."
)
@click.option("--until", metavar="TIME", help="Only rows before this time.")
@click.option("--attributes", metavar="COLUMN,…", default="", help="Columns that describe the user.")
@click.option("--conflicts", type=click.Choice(["last", "first", "most", "null"]), default="last", show_default=True,
              help="Which of several values of an attribute counts; most: the commonest; null: none.")  # fmt: skip
@click.option("--unknown", metavar="VALUE", multiple=True,
              help="What stands for an attribute that is not known, as U; may be given more than once.")  # fmt: skip
@click.option("--row-template", metavar="TEMPLATE",
              help="Each row is a user whose one entry is this text, as 'Age: {age}, Job: {job}'.")  # fmt: skip
@click.option("--sequence-template", metavar="TEMPLATE",
              help="Each session is one entry, as '{weekday} {time}, Visits: {entry} ({seconds}s) → …'.")  # fmt: skip
@click.option("--session-gap", metavar="MINUTES", type=click.FloatRange(0, min_open=True),
              help="A sequence ends before a longer pause. [default: 30, without --session]")  # fmt: skip
@click.option("--mode", type=click.Choice(["replace", "add"]), default="replace", show_default=True,
              help="Whether the files are the truth for their users, or increments.")  # fmt: skip
@click.option("--force", is_flag=True, help="Add a file even if it was loaded before.")
@click.option("--strict", is_flag=True, help="Stop at the first bad row, with nothing loaded.")
@click.option("--rejects", "rejects_path", type=click.Path(path_type=Path), default=Path("pgaudience.rejects.csv"),
              show_default=True, help="Where bad rows are written, if there are any.")  # fmt: skip
@click.option(
    "--reject-placeholders", is_flag=True, help="Reject rows whose user or entry is NULL, n/a, 0 and the like."
)
@click.option("--no-embed", is_flag=True, help="Leave new entries without vectors for now.")
@click.option("--no-refresh", is_flag=True, help="Leave the user vectors as they are for now.")
@click.option("--no-distill", is_flag=True, help="Leave the token table as it is for now.")
@click.option("--base-url", help="Where an OpenAI-compatible model is served.")
@pass_target
def load(
    target: Target,
    files: tuple[str, ...],
    users_file: str | None,
    users_id: str | None,
    entries_file: str | None,
    entries_entry: str | None,
    vectors_file: str | None,
    ids_file: str | None,
    format_: str | None,
    delimiter: str | None,
    decimal: str | None,
    query: str | None,
    source: str | None,
    user: str | None,
    entry: str | None,
    frequency: str | None,
    occurred_at: str | None,
    session: str | None,
    since: str | None,
    until: str | None,
    attributes: str,
    conflicts: Literal["last", "first", "most", "null"],
    unknown: tuple[str, ...],
    row_template: str | None,
    sequence_template: str | None,
    session_gap: float | None,
    mode: Literal["replace", "add"],
    force: bool,
    strict: bool,
    rejects_path: Path,
    reject_placeholders: bool,
    no_embed: bool,
    no_refresh: bool,
    no_distill: bool,
    base_url: str | None,
) -> None:
    """Load activity, embed what is new, refresh, distill when it is due. A FILE may be - for standard input."""
    from pgaudience.embedding.registry import is_learned
    from pgaudience.loading.journal import finish
    from pgaudience.loading.load import load as run
    from pgaudience.loading.rows import row_template as made
    from pgaudience.pipeline import bring_vectors, distill_space
    from pgaudience.reading import Columns, Period, Rejects, read_entries, read_users
    from pgaudience.refresh import refresh

    if vectors_file is not None:
        if files or users_file or entries_file or query:
            raise click.UsageError("--vectors is loaded by itself, into the space of these vectors.")
        rejects = Rejects(rejects_path, strict=strict, placeholders=reject_placeholders)
        _load_vectors(target, vectors_file, ids_file, Columns(user, entry), mode, rejects, no_refresh=no_refresh)
        return
    _check_sources(files, users_file, entries_file, query, source)
    if row_template is not None and (entry or frequency or occurred_at or session or attributes):
        raise click.UsageError("With --row-template, the row itself is the entry, and its columns are the attributes.")
    period = Period.of(since, until)
    described = [name.strip() for name in attributes.split(",") if name.strip()]
    columns = Columns(user, entry, frequency, occurred_at, tuple(described), session)
    rejects = Rejects(rejects_path, strict=strict, placeholders=reject_placeholders)
    with target.open() as (connection, space), rejects, ExitStack() as opened:
        sources = _open_sources(
            files, query, source, delimiter, format_,
            columns=columns,
            rejects=rejects,
            rows=made(connection, row_template) if row_template is not None else None,
            period=period,
            decimal=decimal,
            sequences=_sequences(sequence_template, session, session_gap, alone=not (row_template or attributes)),
        )  # fmt: skip
        for each in sources:
            opened.enter_context(each)
        users = read_users(users_file, None, users_id, rejects) if users_file else ()
        entries = read_entries(entries_file, None, entries_entry, rejects) if entries_file else ()
        merged = run(
            connection, sources, users=users, entries=entries, mode=mode, conflicts=conflicts, unknown=unknown,
            force=force, goes_on=True,
        )  # fmt: skip
        report(rejects, merged, conflicts)
        if period is not None:
            click.echo(f"{sum(each.outside for each in sources):,} accepted rows are out of the period", err=True)
        if entries_file:
            report_entries(merged.entries)
            propose_template(connection)
        if not no_embed:
            bring_vectors(connection, space, base_url)
        if not no_refresh:
            refresh(connection)
            click.echo("Refreshed the user vectors", err=True)
        if not (no_embed or no_distill or is_learned(space.model)):
            distill_space(connection, space, base_url)
        finish(connection, merged.load_keys)
        report_family(connection)


def _sequences(template: str | None, session: str | None, gap: float | None, *, alone: bool) -> SequenceTemplate | None:
    from pgaudience.reading import SequenceTemplate

    if template is None:
        if gap is not None:
            raise click.UsageError("--session-gap goes with --sequence-template.")
        return None
    if not alone:
        raise click.UsageError("With --sequence-template, a text is made of several rows; describe users by --users.")
    return SequenceTemplate.of(template, 30 if gap is None and session is None else gap)


def _load_vectors(
    target: Target,
    path: str,
    ids: str | None,
    columns: Columns,
    mode: Literal["replace", "add"],
    rejects: Rejects,
    *,
    no_refresh: bool,
) -> None:
    from pgaudience.learning import store_vectors
    from pgaudience.reading import read_vectors
    from pgaudience.refresh import refresh

    with target.open() as (connection, space), rejects:
        vectors = read_vectors(path, ids, columns, space.dimensions, rejects)
        given = store_vectors(connection, space, vectors, mode)
        report_vectors(rejects, given)
        if not no_refresh:
            refresh(connection)
            click.echo("Refreshed the user vectors", err=True)


def _check_sources(
    files: tuple[str, ...], users_file: str | None, entries_file: str | None, query: str | None, source: str | None
) -> None:
    if (query is None) != (source is None):
        raise click.UsageError("--query and --source go together.")
    if query is not None and files:
        raise click.UsageError("Give files or --query, not both.")
    if query is None and not files and users_file is None and entries_file is None:
        raise click.UsageError(
            "Give a FILE, - for standard input, --users FILE, --entries FILE, or --query SQL --source URL."
        )


def _open_sources(
    files: tuple[str, ...],
    query: str | None,
    url: str | None,
    delimiter: str | None,
    format_: str | None,
    **options: Unpack[SourceOptions],
) -> list[Source]:
    from pgaudience.reading import open_query, open_source

    if query is not None and url is not None:
        sources = [open_query(query, url, **options)]
    else:
        sources = [open_source(file, format=format_, delimiter=delimiter, **options) for file in files]
    for source in sources:
        click.echo(escaped(f"{source.name}: {source.columns}"), err=True)
    return sources


COMMANDS = (load,)
