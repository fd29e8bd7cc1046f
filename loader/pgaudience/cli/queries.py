"""Commands that ask: search, demo."""

from __future__ import annotations

import json

import click

from pgaudience.cli.target import Target, pass_target


@click.command()
@click.argument("text")
@click.option("-k", type=click.IntRange(0), default=20, show_default=True, help="How many users.")
@click.option("--filter", "filter_", metavar="JSON", default="{}", help='User attributes, as {"country": "France"}.')
@click.option("--mode", default="mean", show_default=True, help="How users are scored.")
@click.option("--base-url", help="Where an OpenAI-compatible model is served.")
@pass_target
def search(target: Target, text: str, k: int, filter_: str, mode: str, base_url: str | None) -> None:
    """Find users by a description; a new text is embedded first, and kept."""
    from pgaudience.pipeline import embed_query
    from pgaudience.printing import print_table

    _check_json(filter_)
    with target.open() as (connection, space):
        embed_query(connection, space, text, base_url)
        print_table(
            connection.execute(
                "select * from search_users(query => %s::text, k => %s, filter => %s::jsonb, mode => %s)",
                [text, k, filter_, mode],
            )
        )


def _check_json(text: str) -> None:
    try:
        json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no JSON: {error}", param_hint="--filter") from error


@click.command()
@click.option("--dataset", type=click.Choice(["places", "retail"]), default="places", show_default=True)
@pass_target
def demo(target: Target, dataset: str) -> None:
    """Show the whole flow on a bundled example: load, embed, refresh, search."""
    from pgaudience.demo import run_demo

    run_demo(target.conninfo(), target.schema if target.schema_given else None, dataset)


COMMANDS = (search, demo)
