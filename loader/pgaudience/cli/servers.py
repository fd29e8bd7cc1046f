"""Commands about the server: psql, url, start, stop."""

from __future__ import annotations

import click

from pgaudience.cli.target import Target, pass_target


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
@pass_target
def psql(target: Target, args: tuple[str, ...]) -> None:
    """Open psql on the database, with search_path set to the space; ARGS go to psql."""
    from pgaudience.psql import run_psql

    run_psql(target.conninfo(), target.schema, args)


@click.command()
@click.option("--tcp", is_flag=True, help="The embedded server's TCP address (see start --port).")
@pass_target
def url(target: Target, tcp: bool) -> None:
    """Print the URL of the database."""
    if not tcp:
        click.echo(target.conninfo())
        return
    from pgaudience.errors import PgaudienceError
    from pgaudience.server import EmbeddedServer, default_home

    server = EmbeddedServer(default_home())
    server.start()
    address = server.tcp_url()
    if address is None:
        raise PgaudienceError("the embedded server listens on no TCP port", "Run: pgaudience start --port 5433")
    click.echo(address)


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), help="Listen on this port of localhost too; 0 for none.")
def start(port: int | None) -> None:
    """Start the embedded server; every other command does so by itself."""
    from pgaudience.server import EmbeddedServer, default_home

    server = EmbeddedServer(default_home())
    server.start(port)
    click.echo(server.tcp_url() or server.url())


@click.command()
def stop() -> None:
    """Stop the embedded server; its data stays."""
    from pgaudience.server import EmbeddedServer, default_home

    EmbeddedServer(default_home()).stop()


COMMANDS = (psql, url, start, stop)
