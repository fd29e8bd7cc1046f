"""Commands that ask: search, explain, similar, lookalikes, segment, demo."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import LiteralString

import click

from pgaudience.cli.target import Target, pass_target

_SEARCH = """
select *
from search_users(
    query => %s::text, k => %s, filter => %s::jsonb, mode => %s, breadth => %s, evidence_weight => %s,
    min_entries => %s, padded => %s
)
"""

_EXPLAIN = """
select *
from explain_match(user_id => %s, query => %s::text, mode => %s, breadth => %s, evidence_weight => %s)
"""

_SIMILAR = """
select *
from similar_users(of_user => %s, k => %s, by => %s, centered => %s, filter => %s::jsonb, min_entries => %s)
"""

_LOOKALIKES = """
select *
from lookalikes(
    user_ids => %s::text[], k => %s, fraction => %s, unlike => %s::text[], filter => %s::jsonb, centered => %s,
    min_entries => %s, by => %s
)
"""

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


_MODE = click.option("--mode", type=click.Choice(["hybrid", "evidence", "mean"]), default="hybrid", show_default=True,
                     help="How users are scored.")  # fmt: skip
_BREADTH = click.option("--breadth", type=click.FloatRange(0.5, 1),
                        help="0.5: anyone showing signal; 1: mostly this. [default: of the space]")  # fmt: skip
_EVIDENCE_WEIGHT = click.option("--evidence-weight", type=click.FloatRange(0, 100),
                                help="What entries count beside the user vector. [default: of the space]")  # fmt: skip
_BASE_URL = click.option("--base-url", help="Where an OpenAI-compatible model is served.")
_K = click.option("-k", type=click.IntRange(0), default=20, show_default=True, help="How many users.")
_FILTER = click.option("--filter", "filter_", metavar="JSON", default="{}",
                       help='User attributes, as {"country": "France"}.')  # fmt: skip
_MIN_ENTRIES = click.option("--min-entries", type=click.IntRange(1), default=1, show_default=True,
                            help="How many entries a user has at least.")  # fmt: skip
_NOT_CENTERED = click.option("--not-centered", is_flag=True, help="Compare users as they are, not with the average.")


@click.command()
@click.argument("text")
@_K
@_FILTER
@_MODE
@_BREADTH
@_EVIDENCE_WEIGHT
@_MIN_ENTRIES
@click.option("--not-padded", is_flag=True, help="Leave out users without evidence.")
@_BASE_URL
@pass_target
def search(
    target: Target,
    text: str,
    k: int,
    filter_: str,
    mode: str,
    breadth: float | None,
    evidence_weight: float | None,
    min_entries: int,
    not_padded: bool,
    base_url: str | None,
) -> None:
    """Find users by a description; a new text is embedded first, and kept."""
    _check_json(filter_)
    arguments = [text, k, filter_, mode, breadth, evidence_weight, min_entries, not not_padded]
    _ask(target, _SEARCH, arguments, text, base_url)


@click.command()
@click.argument("user_id")
@click.argument("text")
@_MODE
@_BREADTH
@_EVIDENCE_WEIGHT
@_BASE_URL
@pass_target
def explain(
    target: Target,
    user_id: str,
    text: str,
    mode: str,
    breadth: float | None,
    evidence_weight: float | None,
    base_url: str | None,
) -> None:
    """Show what each entry of a user adds to the match with a description."""
    _ask(target, _EXPLAIN, [user_id, text, mode, breadth, evidence_weight], text, base_url)


@click.command()
@click.argument("user_id")
@_K
@click.option("--by", type=click.Choice(["vector", "entries", "both"]), default="vector", show_default=True,
              help="What is compared.")  # fmt: skip
@_NOT_CENTERED
@_FILTER
@_MIN_ENTRIES
@pass_target
def similar(target: Target, user_id: str, k: int, by: str, not_centered: bool, filter_: str, min_entries: int) -> None:
    """Find the users closest in taste to one user."""
    _check_json(filter_)
    _ask(target, _SIMILAR, [user_id, k, by, not not_centered, filter_, min_entries])


@click.command()
@click.argument("user_ids", nargs=-1, required=True, metavar="USER_ID…")
@click.option("-k", type=click.IntRange(0), help="How many users. [default: 20]")
@click.option("--fraction", type=click.FloatRange(0, 1), help="Instead of -k: which share of all other users.")
@click.option("--unlike", multiple=True, metavar="USER_ID", help="A user to stay away from; may be repeated.")
@_FILTER
@_NOT_CENTERED
@_MIN_ENTRIES
@click.option("--by", type=click.Choice(["mean", "nearest"]), default="mean", show_default=True,
              help="The mean of the group, or the share of it among the nearest of each.")  # fmt: skip
@pass_target
def lookalikes(
    target: Target,
    user_ids: tuple[str, ...],
    k: int | None,
    fraction: float | None,
    unlike: tuple[str, ...],
    filter_: str,
    not_centered: bool,
    min_entries: int,
    by: str,
) -> None:
    """Find the users most like a group."""
    _check_json(filter_)
    _ask(
        target,
        _LOOKALIKES,
        [list(user_ids), k, fraction, list(unlike), filter_, not not_centered, min_entries, by],
    )


def _ask(
    target: Target,
    statement: LiteralString,
    arguments: Sequence[object],
    text: str | None = None,
    base_url: str | None = None,
) -> None:
    """Print the answer to a statement, whose text, if it has one, is embedded first."""
    from pgaudience.pipeline import embed_query
    from pgaudience.printing import print_table

    with target.open() as (connection, space):
        if text is not None:
            embed_query(connection, space, text, base_url)
        print_table(connection.execute(statement, arguments))


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
@click.option("--to", default="pgaudience-demo.html", show_default=True, metavar="FILE",
              type=click.Path(dir_okay=False, path_type=Path), help="Where its report goes.")  # fmt: skip
@pass_target
def demo(target: Target, dataset: str, to: Path) -> None:
    """Show the whole flow on a bundled example: load, embed, refresh, search, segment, report."""
    from pgaudience.demo import run_demo

    run_demo(target.conninfo(), target.schema if target.schema_given else None, dataset, to)


COMMANDS = (search, explain, similar, lookalikes, segment, demo)
