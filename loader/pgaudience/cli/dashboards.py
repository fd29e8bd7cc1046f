"""The command that writes a dashboard for a BI tool."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pgaudience.cli.target import Target, pass_target


@click.group()
def bi() -> None:
    """Write a dashboard for a BI tool to import."""


@bi.command()
@click.argument("name", required=False)
@click.option("--to", default="-", metavar="FILE", help="A .zip file, or - for standard output, the default.")
@click.option("--connection", metavar="URL",
              help="How Superset connects, as postgresql://dashboards@db:5432/shop.  [default: as here]")  # fmt: skip
@pass_target
def superset(target: Target, name: str | None, to: str, connection: str | None) -> None:
    """Write a dashboard of segments and audiences that opens with the segmentation NAME, the first by default."""
    from pgaudience.dashboards import make_dashboard
    from pgaudience.replacing import replacing

    if to == "-" and sys.stdout.isatty():
        raise click.UsageError("a zip file is not for a terminal: add --to dashboards.zip")
    with target.open() as (session, space):
        made = make_dashboard(session, space, name, connection)
    if to == "-":
        sys.stdout.buffer.write(made.bundle.zip())
    else:
        with replacing(Path(to)) as file:
            file.write(made.bundle.zip())
    where = "standard output" if to == "-" else to
    click.echo(f"{where}: {len(made.bundle.charts)} charts, {len(made.bundle.views)} data sets", err=True)
    for chart in made.empty:
        click.echo(f"  Left out for want of data: {chart.title} ({chart.filler})", err=True)
    click.echo("Import it in Superset: Dashboards, then the arrow beside the button for a new one.", err=True)
    click.echo(f"It connects as {made.bundle.connection}, and asks for the password.", err=True)


COMMANDS = (bi,)
