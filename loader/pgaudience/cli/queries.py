"""Commands that ask: search, segment, demo."""

from __future__ import annotations

import json

import click

from pgaudience.cli.target import Target, pass_target

_RUN = """
select run_id, k, users, unassigned, outliers, silhouette, users_moved, churn, published_at is not null as published
from segmentation_runs
where run_id = %s
"""

_SEGMENTS = """
select
    s.segment_id,
    coalesce(n.name, s.name) as name,
    s.users,
    s.share,
    s.cohesion,
    array(
        select e.entry
        from run_entries r
        join entries e using (entry_key)
        where r.run_id = s.run_id and r.segment_id = s.segment_id
        order by r.z_score desc, e.entry
        limit 3
    ) as top_entries
from run_segments s
join segmentation_runs r using (run_id)
left join segment_names n on (n.segmentation, n.segment_id) = (r.segmentation, s.segment_id)
where s.run_id = %s
order by s.users desc, s.segment_id
"""


@click.command()
@click.argument("text")
@click.option("-k", type=click.IntRange(0), default=20, show_default=True, help="How many users.")
@click.option("--filter", "filter_", metavar="JSON", default="{}", help='User attributes, as {"country": "France"}.')
@click.option("--mode", type=click.Choice(["hybrid", "evidence", "mean"]), default="hybrid", show_default=True,
              help="How users are scored.")  # fmt: skip
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
@click.argument("name")
@click.option("-k", "--k", type=click.IntRange(1, 1000), help="How many segments. [default: as published, else chosen]")
@click.option("--method", type=click.Choice(["kmeans", "agglomerative"]), default="kmeans", show_default=True)
@click.option("--filter", "filter_", metavar="JSON", default="{}", help='User attributes, as {"country": "France"}.')
@click.option("--seed", type=int, default=0, show_default=True, help="Another one gives another result.")
@click.option("--from-scratch", is_flag=True, help="Do not start from the published centroids.")
@click.option("--drop-smaller-than", type=click.IntRange(0), default=0, help="Leave users of smaller segments without.")
@click.option("--outlier-fraction", type=click.FloatRange(0, 0.5), default=0.0, help="Leave out so many of the users.")
@click.option("--max-churn", type=click.FloatRange(0, 1), help="Do not publish if more of the users would move.")
@pass_target
def segment(
    target: Target,
    name: str,
    k: int | None,
    method: str,
    filter_: str,
    seed: int,
    from_scratch: bool,
    drop_smaller_than: int,
    outlier_fraction: float,
    max_churn: float | None,
) -> None:
    """Cut the users into segments, and print what they are."""
    from pgaudience.printing import print_table
    from pgaudience.segmenting import build_segmentation

    _check_json(filter_)
    arguments = {
        "k": k,
        "method": method,
        "filter": filter_,
        "seed": seed,
        "warm_start": not from_scratch,
        "drop_smaller_than": drop_smaller_than,
        "outlier_fraction": outlier_fraction,
        "max_churn": max_churn,
    }
    with target.open() as (connection, _):
        run_id = build_segmentation(connection, name, arguments)
        print_table(connection.execute(_RUN, [run_id]))
        print_table(connection.execute(_SEGMENTS, [run_id]))


@click.command()
@click.option("--dataset", type=click.Choice(["places", "retail"]), default="places", show_default=True)
@click.option("--no-distill", is_flag=True, help="Make no token table, which takes minutes.")
@pass_target
def demo(target: Target, dataset: str, no_distill: bool) -> None:
    """Show the whole flow on a bundled example: load, embed, refresh, search, distill."""
    from pgaudience.demo import run_demo

    run_demo(target.conninfo(), target.schema if target.schema_given else None, dataset, distill=not no_distill)


COMMANDS = (search, segment, demo)
