"""Commands that ask a chat model: describe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from pgaudience.cli.target import Target, pass_target

if TYPE_CHECKING:
    from pgaudience.wording import Described, Question

_DESCRIPTIONS = """
select
    s.segment_id,
    s.name,
    s.description,
    d.keywords,
    c.similarity,
    c.overlap
from segments s
left join segment_descriptions d on (d.segmentation, d.segment_id, d.rank) = (s.segmentation, s.segment_id, 1)
cross join lateral (
    select avg(a.similarity) as similarity, avg(a.overlap) as overlap
    from segment_descriptions a
    where (a.segmentation, a.segment_id) = (s.segmentation, s.segment_id) and a.rank is not null
) c
where s.segmentation = %s
order by s.segment_id
"""
_ANSWER_TOKENS = 90

_MODEL = click.option("--model", metavar="openai:NAME", default="openai:gpt-4.1-mini", show_default=True,
                      help="The chat model.")  # fmt: skip
_BASE_URL = click.option("--base-url", help="Where an OpenAI-compatible chat model is served.")
_PRICES = click.option("--prices", type=click.Tuple([click.FloatRange(0), click.FloatRange(0)]),
                       metavar="IN OUT", help="Of a dry run: what a million tokens cost.")  # fmt: skip
_RETRY = click.option("--retry", is_flag=True, help="Ask again where an answer was refused or broken.")


@click.command()
@click.argument("name")
@_MODEL
@click.option("--seeds", type=click.IntRange(1, 20), default=3, show_default=True,
              help="How often each segment is described, with other members each time.")  # fmt: skip
@click.option("--attribute", "attributes", multiple=True, metavar="NAME",
              help="An attribute of users that may be sent; none else is.")  # fmt: skip
@click.option("--tokens", type=click.IntRange(200), default=1500, show_default=True,
              help="About how large the data of a prompt may be.")  # fmt: skip
@click.option("--rename", is_flag=True, help="Also name the segments, but for those a person has named.")
@_RETRY
@click.option("--dry-run", is_flag=True, help="Only show the prompts, and about how many tokens they are.")
@_PRICES
@_BASE_URL
@pass_target
def describe(
    target: Target,
    name: str,
    model: str,
    seeds: int,
    attributes: tuple[str, ...],
    tokens: int,
    rename: bool,
    retry: bool,
    dry_run: bool,
    prices: tuple[float, float] | None,
    base_url: str | None,
) -> None:
    """Describe the segments of a segmentation in a sentence and keywords of a chat model."""
    from pgaudience.printing import print_table
    from pgaudience.wording import ChatModel, describe_segments, questions

    with target.open() as (connection, space):
        asked = questions(connection, name, seeds=seeds, attributes=attributes, budget=tokens)
        if dry_run:
            _show(asked, prices)
            return
        done = describe_segments(connection, space, name, asked, ChatModel(model, base_url), again=retry, rename=rename)
        print_table(connection.execute(_DESCRIPTIONS, [name]))
    _report(done)


def _show(asked: Sequence[Question], prices: tuple[float, float] | None) -> None:
    from pgaudience.terminal import escaped_lines

    for at, question in enumerate(asked):
        if at == 0:
            click.echo(question.prompt.instructions)
        click.echo(f"\nSegment {question.segment_id}, seed {question.prompt.seed}, {question.prompt.tokens:,} tokens:")
        click.echo(escaped_lines(question.prompt.data))
    tokens_in = sum(question.prompt.tokens for question in asked)
    say_cost(f"{len(asked):,} prompts", tokens_in, len(asked) * _ANSWER_TOKENS, prices)


def say_cost(what: str, tokens_in: int, tokens_out: int, prices: tuple[float, float] | None) -> None:
    """Say about how many tokens would be paid for, and what they cost."""
    cost = ""
    if prices is not None:
        cost = f", {(tokens_in * prices[0] + tokens_out * prices[1]) / 1e6:,.4f} at these prices"
    click.echo(f"{what}, about {tokens_in:,} tokens, and {tokens_out:,} of answers{cost}", err=True)


def _report(done: Described) -> None:
    from pgaudience.terminal import escaped

    click.echo(
        f"{done.asked:,} answers asked for, {done.known:,} known already; {done.prompt_tokens:,} tokens sent,"
        f" {done.completion_tokens:,} received",
        err=True,
    )
    for fault, answers in done.faults.items():
        click.echo(escaped(f"{answers:,} of no use: {fault} (--retry asks again)"), err=True)
    if done.hidden:
        click.echo(f"{done.hidden:,} segments are hidden (suppress_below): nothing was sent of them", err=True)


COMMANDS = (describe,)
