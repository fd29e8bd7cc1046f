"""Commands that write files for others: export audience."""

from __future__ import annotations

from typing import Literal

import click

from pgaudience.cli.target import Target, pass_target


@click.group()
def export() -> None:
    """Write what is in the space to a file."""


@export.command()
@click.argument("name")
@click.option("--to", required=True, metavar="FILE", help="A .csv, .jsonl or .parquet file, or - for standard output.")
@click.option("--format", "format_", type=click.Choice(["csv", "jsonl", "parquet"]), help="[default: from the name]")
@click.option("--columns", metavar="COLUMN,…",
              help="[default: user_id,rank,score,reasons; of changes: user_id,change,changed_at]")  # fmt: skip
@click.option("--attributes", metavar="NAME,…", default="", help="Attributes of the users, a column each.")
@click.option("--emails", metavar="NAME,…", default="", help="Attributes that are e-mail addresses, a column each.")
@click.option("--phones", metavar="NAME,…", default="", help="Attributes that are phone numbers, a column each.")
@click.option("--hash", "hash_", type=click.Choice(["sha256"]), help="Normalise those, and write their SHA-256.")
@click.option("--platform", type=click.Choice(["google", "meta"]), default="google", show_default=True,
              help="Whose way of writing phone numbers.")  # fmt: skip
@click.option("--region", metavar="XX", help="The country, as FR, of phone numbers without a country code.")
@click.option("--since-last", "cursor", metavar="CURSOR",
              help="Only what has changed since the last export under this name.")  # fmt: skip
@pass_target
def audience(
    target: Target,
    name: str,
    to: str,
    format_: str | None,
    columns: str | None,
    attributes: str,
    emails: str,
    phones: str,
    hash_: str | None,
    platform: Literal["google", "meta"],
    region: str | None,
    cursor: str | None,
) -> None:
    """Write the members of an audience, or who came and left."""
    from pgaudience.exporting import Contacts, export_audience
    from pgaudience.exporting.writers import format_of

    if hash_ is not None and not (emails or phones):
        raise click.UsageError("--hash goes with --emails or --phones: what is it to hash?")
    contacts = Contacts(_names(emails), _names(phones), region, platform) if hash_ is not None else None
    with target.open() as (connection, _):
        done = export_audience(
            connection,
            name,
            to,
            format_of(to, format_),
            columns=None if columns is None else _names(columns),
            attributes=[*_names(attributes), *_names(emails), *_names(phones)],
            contacts=contacts,
            cursor=cursor,
        )
    what = "members" if cursor is None else "changes"
    where = "standard output" if to == "-" else to
    click.echo(f"{where}: {done.rows:,} {what} of {name}", err=True)
    for attribute, rows in contacts.unusable.items() if contacts is not None else ():
        click.echo(f"  {rows:,} without a hash: {attribute} is none that can be used", err=True)


def _names(text: str) -> list[str]:
    return [name for name in map(str.strip, text.split(",")) if name]


COMMANDS = (export,)
