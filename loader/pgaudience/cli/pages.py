"""The command that writes a report for people to read."""

from __future__ import annotations

from pathlib import Path

import click

from pgaudience.cli.target import Target, pass_target


@click.command()
@click.argument("name", required=False)
@click.option(
    "--of", "subject", type=click.Choice(["segmentation", "space"]), default="segmentation", show_default=True
)
@click.option("--to", default="report.html", show_default=True, metavar="FILE",
              type=click.Path(dir_okay=False, path_type=Path), help="The page, one file.")  # fmt: skip
@click.option("--with-ids", is_flag=True, help="Put the ids of typical users on the page.")
@pass_target
def report(target: Target, name: str | None, subject: str, to: Path, with_ids: bool) -> None:
    """Write a page about the segmentation NAME, the only one by default, to look at and to send around."""
    from pgaudience.reporting import write_report, write_space_report

    if subject == "space" and name is not None:
        raise click.UsageError("--of space is about all of it: give no NAME")
    with target.open() as (connection, _):
        if subject == "space":
            write_space_report(connection, to, with_ids)
        else:
            write_report(connection, name, to, with_ids)
    click.echo(f"{to}: {to.stat().st_size:,} bytes", err=True)


COMMANDS = (report,)
