"""Commands that run the embedding model: embed, distill, train, worker."""

from __future__ import annotations

import click

from pgaudience.cli.target import Target, pass_target


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say how many texts and about how many tokens there are.")
@click.option("--base-url", help="Where an OpenAI-compatible model is served.")
@pass_target
def embed(target: Target, dry_run: bool, base_url: str | None) -> None:
    """Embed the entries and queries whose text has no vector yet."""
    from pgaudience.pipeline import embed_space, estimate_space

    with target.open() as (connection, space):
        if dry_run:
            texts, tokens = estimate_space(connection, space, base_url)
            click.echo(f"{texts:,} texts without a vector, about {tokens:,} tokens for {space.model}")
        else:
            embed_space(connection, space, base_url)


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say how many texts and about how many tokens a fit would embed.")
@click.option("--base-url", help="Where an OpenAI-compatible model is served.")
@pass_target
def distill(target: Target, dry_run: bool, base_url: str | None) -> None:
    """Fit the token table, so that SQL alone answers new query texts, nearly."""
    from pgaudience import distilling
    from pgaudience.encoding import has_encoder
    from pgaudience.pipeline import space_provider

    with target.open() as (connection, space):
        if has_encoder(connection):
            click.echo(f"{space.model} itself runs in the space; it needs no token table", err=True)
            return
        provider = space_provider(space, base_url)
        if dry_run:
            texts, tokens = distilling.distillation_cost(connection, provider)
            click.echo(f"{texts:,} texts to embed, about {tokens:,} tokens for {space.model}")
        else:
            distilling.distill(connection, space, provider)


@click.command()
@click.argument("spaces", nargs=-1, metavar="[SPACE]…")
@click.option("--poll", metavar="SECONDS", type=click.FloatRange(0, min_open=True), default=30, show_default=True,
              help="How often to look for texts even if nothing was heard of any.")  # fmt: skip
@click.option("--base-url", help="Where an OpenAI-compatible model is served.")
@pass_target
def worker(target: Target, spaces: tuple[str, ...], poll: float, base_url: str | None) -> None:
    """Embed new entries and queries of the spaces as they appear, until stopped."""
    from pgaudience.worker import run_worker

    run_worker(target.conninfo(), list(dict.fromkeys(spaces or [target.schema])), poll=poll, base_url=base_url)


@click.command()
@click.option("--outcome", metavar="ATTRIBUTE[=VALUE]",
              help="Of a space of attributes: what arranges them from now on, as subscribed=yes.")  # fmt: skip
@click.option("--no-refresh", is_flag=True, help="Leave the user vectors as they are for now.")
@pass_target
def train(target: Target, outcome: str | None, no_refresh: bool) -> None:
    """Learn the vectors of a space from what people have or are (migrate --of SPACE --model behaviour)."""
    from pgaudience.embedding.registry import is_learned
    from pgaudience.errors import PgaudienceError
    from pgaudience.learning import check_parts
    from pgaudience.learning import learn as run
    from pgaudience.refresh import refresh

    with target.open() as (connection, space):
        if not is_learned(space.model):
            raise PgaudienceError(
                f"the vectors of {space.schema!r} are made of texts by {space.model}, not learned",
                f"Make a space that learns: pgaudience --schema OTHER migrate --of {space.schema} --model behaviour",
            )
        check_parts(connection)
        run(connection, space, outcome)
        if not no_refresh:
            refresh(connection)
            click.echo("Refreshed the user vectors", err=True)


COMMANDS = (embed, distill, train, worker)
