"""The command that makes maps."""

from __future__ import annotations

import click

from pgaudience.cli.target import Target, pass_target

_AXES = """
select a.axis, a.explained, a.explained_of_centres, a.explained_adjusted, a.top_entries, a.bottom_entries
from maps m
join map_axes a
    on a.relation = m.relation and a.method = m.method and a.segmentation is not distinct from m.segmentation
where m.map_id = %s
order by a.axis
"""


@click.command("map")
@click.option("--of", "relation", type=click.Choice(["users", "entries"]), default="users", show_default=True)
@click.option("--method", type=click.Choice(["pca", "centres", "tsne", "mca"]), default="pca", show_default=True,
              help="Axes of greatest variance, the plane of segments' centres, neighbours, or categories.")  # fmt: skip
@click.option("--segmentation", metavar="NAME", help="Of centres: whose segments. [default: the only one]")
@click.option("--dimensions", type=click.IntRange(2, 3), default=2, show_default=True)
@pass_target
def make(target: Target, relation: str, method: str, segmentation: str | None, dimensions: int) -> None:
    """Make a map: where users or entries lie on two or three axes, in user_map and entry_map."""
    from pgaudience.mapping import make_map
    from pgaudience.printing import print_table

    if method != "centres" and segmentation is not None:
        raise click.UsageError("--segmentation goes with --method centres")
    with target.open() as (connection, space):
        done = make_map(connection, space, relation, method, segmentation, dimensions)
        if method != "tsne":
            print_table(connection.execute(_AXES, [done.map_id]))
    click.echo(
        f"Trustworthiness {done.trustworthiness:.2f}, of {done.sample_size:,} {relation}"
        f" with {done.neighbours} neighbours each"
    )
    if done.kept is not None:
        click.echo(f"Turned onto the former map: cosine of the axes {done.kept:.2f} on average", err=True)


COMMANDS = (make,)
