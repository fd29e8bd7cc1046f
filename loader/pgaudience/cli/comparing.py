"""The command that compares spaces."""

from __future__ import annotations

import click

from pgaudience.cli.target import Target, pass_target

_FAMILY = "select current_schema() union all select * from (select d.space from derived_spaces d order by d.space) d"

_COMPARED = """
from compare_spaces(%(spaces)s, k => %(k)s, group_filter => %(group)s, label => %(label)s, sample_size => %(size)s) c
"""

_TABLE = f"""
select
    c.space,
    c.users,
    c.coverage,
    round(c.reidentification::numeric, 3) || ' ± ' || round(c.reidentification_margin::numeric, 2) as "re-id",
    round(c.bits::numeric, 3) || ' ± ' || round(c.bits_margin::numeric, 2) as bits,
    c.lift,
    c.silhouette,
    c.stability,
    c.label_silhouette as labels,
    round(1000 * c.seconds) as ms,
    pg_size_pretty(c.bytes) as bytes
{_COMPARED}
"""

_JSON = f"select jsonb_pretty(jsonb_agg(to_jsonb(c))) {_COMPARED}"


@click.command()
@click.argument("spaces", nargs=-1, metavar="[SPACE]…")
@click.option("-k", type=click.IntRange(min=1), help="How many segments. [default: 12, fewer for under 60 users]")
@click.option("--group", metavar="JSON", help="Attributes of users whom look-alikes are to find again.")
@click.option("--label", metavar="ATTRIBUTE", help="An attribute of entries that vectors should tell apart.")
@click.option("--sample-size", type=click.IntRange(0, 16_000), default=2_000, show_default=True, help="Users.")
@click.option("--json", "as_json", is_flag=True, help="All measures, as JSON.")
@pass_target
def compare(
    target: Target,
    spaces: tuple[str, ...],
    k: int | None,
    group: str | None,
    label: str | None,
    sample_size: int,
    *,
    as_json: bool,
) -> None:
    """Compare spaces over the same people, all of them if none is named: which is better, and for what."""
    from pgaudience.database import open_space
    from pgaudience.printing import print_table

    with target.open() as (connection, space):
        if space.base is not None:
            open_space(connection, space.base)
        names = list(dict.fromkeys(spaces)) or [row[0] for row in connection.execute(_FAMILY).fetchall()]
        asked = {"spaces": names, "k": k, "group": group, "label": label, "size": sample_size}
        if as_json:
            click.echo((connection.execute(_JSON, asked).fetchone() or ("[]",))[0])
        else:
            print_table(connection.execute(_TABLE, asked))


COMMANDS = (compare,)
