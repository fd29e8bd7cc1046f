"""Commands on a space as a whole: migrate, status, check, refresh, index, swap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pgaudience.cli.target import Target, pass_target

if TYPE_CHECKING:
    from pgaudience.installing import Materialization, Migration

_TEMPLATE = "select s.entry_template, t.entries_outdated from space s cross join status t"
_UNKNOWN_NAMES = """
select distinct substr(p.part, 2)
from space s
cross join unnest(template_parts(s.entry_template)) p (part)
where p.part like 'k%'
    and p.part <> 'kentry'
    and not exists (select from entries e where e.attributes ? substr(p.part, 2))
order by 1
"""


@click.command()
@click.option("--model", help="Embedding model of a new space, as provider:name.")
@click.option("--dimensions", type=click.IntRange(1, 16000), help="Fewer dimensions than the model's own.")
@click.option("--of", metavar="SPACE", help="A new space has the users, entries and activity of this one.")
@click.option(
    "--parts", metavar="SPACE,…", help="Of the model blend: the spaces whose vectors stand beside each other."
)
@click.option("--weights", metavar="NUMBER,…", help="How much each of them counts. [default: all the same]")
@click.option("--base-url", help="Where an OpenAI-compatible model is served.")
@click.option("--weighting", type=click.Choice(["log", "frequency", "sqrt", "binary"]), help="How frequencies count.")
@click.option("--entry-template", metavar="TEMPLATE",
              help="The text that is embedded for an entry, as '{entry} — {category}'.")  # fmt: skip
@click.option("--materialize", type=click.Choice(["views", "tables"]),
              help="Have a refresh compute everything, in views, or what has changed, in tables.")  # fmt: skip
@click.option("--distributed", is_flag=True, help="Distribute users over the machines of Citus: see docs/scale.md.")
@pass_target
def migrate(
    target: Target,
    model: str | None,
    dimensions: int | None,
    of: str | None,
    parts: str | None,
    weights: str | None,
    base_url: str | None,
    weighting: str | None,
    entry_template: str | None,
    materialize: Materialization | None,
    distributed: bool,
) -> None:
    """Create or upgrade a space."""
    from pgaudience.embedding.registry import BLEND, is_learned, measure
    from pgaudience.installing import migrate as run

    if (parts is None) == (model == BLEND) or (weights is not None and parts is None):
        raise click.UsageError("--model blend, --parts and perhaps --weights go together.")
    if dimensions is not None and model is None:
        raise click.UsageError("--dimensions goes with --model: the model decides what can be had.")

    result = run(
        target.conninfo(),
        target.schema,
        model=model,
        weighting=weighting,
        entry_template=entry_template,
        of=of,
        parts=_weighted(parts, weights),
        materialization=materialize,
        distributed=distributed,
        measure=lambda asked: measure(asked, dimensions=dimensions, base_url=base_url),
    )
    _report_space(result)
    for relative in result.relatives:
        if relative.changed:
            _report_space(relative)
    if result.reweighted and not result.created:
        click.echo(f"Weighting is now {weighting}; bring the user vectors up to date: pgaudience refresh", err=True)
    if result.has_new_template:
        _report_template(target)
    if not is_learned(result.space.model):
        _store_model(target)
    statements = [each for one in (result, *result.relatives) for each in one.for_the_dba]
    if statements:
        click.echo("This role may not run the following; ask the DBA, then migrate again:", err=True)
        for statement in statements:
            click.echo(f"  {statement}", err=True)


def _weighted(parts: str | None, weights: str | None) -> dict[str, float] | None:
    if parts is None:
        return None
    names = [name.strip() for name in parts.split(",")]
    try:
        numbers = [float(number) for number in weights.split(",")] if weights else [1 / len(names)] * len(names)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--weights") from error
    if (
        len(numbers) != len(names)
        or len(set(names)) != len(names)
        or not all(0 < each < float("inf") for each in numbers)
    ):
        raise click.BadParameter("one positive number for each part, each part once", param_hint="--weights")
    return dict(zip(names, numbers, strict=True))


def _report_space(migration: Migration) -> None:
    space = migration.space
    done = "created" if migration.created else "upgraded" if migration.changed else "up to date"
    people = f", the people of {space.base}" if space.base else ""
    click.echo(f"Space {space.schema}: {done} ({space.model}, {space.dimensions} dimensions{people})", err=True)


def _store_model(target: Target) -> None:
    from pgaudience.pipeline import store_model

    with target.open() as (connection, space):
        reason = store_model(connection, space)
    if reason is None:
        click.echo(f"{space.model} runs inside PostgreSQL: query texts are embedded in SQL", err=True)
    else:
        click.echo(f"{space.model} does not run inside PostgreSQL: {reason}", err=True)


def _report_template(target: Target) -> None:
    with target.open() as (connection, _):
        template, outdated = connection.execute(_TEMPLATE).fetchone() or ("", 0)
        unknown = [row[0] for row in connection.execute(_UNKNOWN_NAMES).fetchall()]
    click.echo(f"The template of entries is now {template!r}; {outdated:,} entries have another text by it", err=True)
    if outdated:
        click.echo("Embed them: pgaudience embed; until then their vectors stay in use", err=True)
    if unknown:
        click.echo(f"No entry has an attribute {' or '.join(unknown)} yet: pgaudience load --entries FILE", err=True)


@click.command()
@pass_target
def status(target: Target) -> None:
    """Print the one row of the view status."""
    from pgaudience.printing import print_record

    with target.open() as (connection, _):
        print_record(connection.execute("select * from status"))


@click.command()
@click.option("--deep", is_flag=True, help="Compare user vectors and statistics with what they are made of.")
@pass_target
def check(target: Target, deep: bool) -> None:
    """Check everything a space needs; every failed check says what to do."""
    from pgaudience.checking import run_checks
    from pgaudience.database import connect

    failed = 0
    with connect(target.conninfo()) as connection:
        for result in run_checks(connection, target.schema, deep=deep):
            click.echo(f"{'ok  ' if result.ok else 'FAIL'}  {result.name}: {result.found}")
            if not result.ok:
                failed += 1
                click.echo(f"      → {result.mend}")
    if failed:
        raise click.exceptions.Exit(1)


@click.command()
@click.option(
    "--all", "whole_family", is_flag=True, help="All spaces over the same people, new entries embedded first."
)
@click.option("--base-url", help="Where an OpenAI-compatible model is served.")
@pass_target
def refresh(target: Target, whole_family: bool, base_url: str | None) -> None:
    """Bring the user vectors and statistics up to date."""
    from pgaudience.pipeline import catch_up
    from pgaudience.refresh import refresh as run

    with target.open() as (connection, space):
        if whole_family:
            catch_up(connection, space, base_url)
        else:
            run(connection)
            click.echo("Refreshed the user vectors", err=True)


@click.command()
@click.option("--drop", is_flag=True, help="Remove the indexes.")
@pass_target
def index(target: Target, drop: bool) -> None:
    """Build HNSW indexes for fast nearest-neighbour search (worth it from about 100,000 users)."""
    from pgaudience.indexing import create_indexes, drop_indexes

    with target.open() as (connection, space):
        if drop:
            drop_indexes(connection)
            click.echo("Removed the indexes", err=True)
        else:
            create_indexes(connection, space, target.conninfo())


@click.command()
@click.argument("space")
@click.argument("other", metavar="NEXT")
@click.option("--force", is_flag=True, help="Even if readers of SPACE miss something then.")
@click.option("--base-url", help="Where an OpenAI-compatible model is served.")
@pass_target
def swap(target: Target, space: str, other: str, *, force: bool, base_url: str | None) -> None:
    """Have SPACE answer with the model of NEXT, a space over the same people, and NEXT with its own."""
    from pgaudience.database import connect, open_space
    from pgaudience.installing import swap as run
    from pgaudience.pipeline import embed_texts_of

    conninfo = target.conninfo()
    with connect(conninfo) as connection:
        embed_texts_of(connection, open_space(connection, space), open_space(connection, other), base_url)
    done = run(conninfo, space, other, force=force)
    for each in (done.space, done.other):
        click.echo(f"Space {each.schema}: {each.model}, {each.dimensions} dimensions", err=True)
    click.echo(f"Others had to wait for {done.seconds:.1f} s; to swap back: pgaudience swap {space} {other}", err=True)


COMMANDS = (migrate, status, check, refresh, index, swap)
