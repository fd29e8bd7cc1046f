"""Commands that say what segments and entries are: describe, enrich, explain-segments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pgaudience.cli.target import Target, pass_target

if TYPE_CHECKING:
    from pgaudience.database import Connection
    from pgaudience.wording import Described, Enriched, Plan, Question

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
_RULES = """
select r.segment_id, s.label as segment, r.rule, r.share, r.is_right as "right"
from unnest(%s::bigint[], %s::text[], %s::float8[], %s::float8[])
    with ordinality r (segment_id, rule, share, is_right, place)
join segments s using (segment_id)
where s.segmentation = %s
order by r.place
"""
_IMPORTANCES = """
select
    a.attribute,
    a.importance,
    s.label as most_in,
    a.there,
    coalesce(d.eta_squared, d.cramers_v) as by_itself
from unnest(%s::text[], %s::float8[], %s::bigint[], %s::float8[])
    with ordinality a (attribute, importance, segment_id, there, place)
join segments s using (segment_id)
join segment_drivers d using (segmentation, attribute)
where s.segmentation = %s
order by a.place
"""
_ANSWER_TOKENS = 90
_ENTRY_TOKENS = 45

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


@click.command()
@_MODEL
@click.option("--about", metavar="TEXT", help="What all entries are, for the model, as 'products of a supermarket'.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the N commonest that are left. [default: all]")
@click.option("--batch", type=click.IntRange(1, 100), default=20, show_default=True,
              help="How many entries are in a request.")  # fmt: skip
@click.option("--glossary", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE",
              help="CSV with abbreviation,meaning: spell these out instead, and ask no model.")  # fmt: skip
@_RETRY
@click.option("--dry-run", is_flag=True, help="Only say how many entries and about how many tokens there are.")
@_PRICES
@_BASE_URL
@pass_target
def enrich(
    target: Target,
    model: str,
    about: str | None,
    limit: int | None,
    batch: int,
    glossary: Path | None,
    retry: bool,
    dry_run: bool,
    prices: tuple[float, float] | None,
    base_url: str | None,
) -> None:
    """Say what each entry is, in the words of a chat model or of a glossary, as attributes of entries."""
    from pgaudience.wording import ChatModel, enrich_entries, plan, planned_prompts, read_glossary, spell_out

    with target.open() as (connection, space):
        if glossary is not None:
            done = spell_out(connection, space, read_glossary(glossary))
            click.echo(f"{done.entries:,} entries have abbreviations, {done.changed:,} were changed", err=True)
        else:
            planned = plan(connection, space, model, batch=batch, limit=limit, about=about, again=retry)
            if dry_run:
                _show_entries(planned, planned_prompts(connection, planned), prices)
                return
            _report_entries(enrich_entries(connection, planned, ChatModel(model, base_url)))
        _propose_template(connection)


def _show_entries(planned: Plan, prompts: Sequence[str], prices: tuple[float, float] | None) -> None:
    from pgaudience.embedding.provider import estimate_tokens
    from pgaudience.terminal import escaped_lines
    from pgaudience.wording.entry_prompts import INSTRUCTIONS

    if prompts:
        click.echo(INSTRUCTIONS)
        click.echo(f"\nThe first of {len(prompts):,} requests:")
        click.echo(escaped_lines(prompts[0]))
    tokens = estimate_tokens([INSTRUCTIONS]) * len(prompts) + sum(map(estimate_tokens, ([each] for each in prompts)))
    say_cost(f"{len(planned.keys):,} entries", tokens, len(planned.keys) * _ENTRY_TOKENS, prices)


def _report_entries(done: Enriched) -> None:
    from pgaudience.terminal import escaped

    click.echo(
        f"{done.described:,} entries described in {done.requests:,} requests; {done.prompt_tokens:,} tokens sent,"
        f" {done.completion_tokens:,} received",
        err=True,
    )
    for fault, entries in done.faults.items():
        click.echo(escaped(f"{entries:,} not described: {fault} (--retry asks again)"), err=True)


def _propose_template(connection: Connection) -> None:
    from pgaudience.wording import proposed_template

    template = proposed_template(connection, ["spelled_out", "ai_description", "ai_tags"])
    if template is not None:
        click.echo("To embed it with the entries, and search by it:", err=True)
        click.echo(f"  pgaudience migrate --entry-template {template}", err=True)
        click.echo("  pgaudience embed && pgaudience refresh", err=True)


@click.command("explain-segments")
@click.argument("name")
@click.option("--rules", "leaves", type=click.IntRange(2, 64), default=8, show_default=True, help="How many at most.")
@pass_target
def explain_segments(target: Target, name: str, leaves: int) -> None:
    """Say which attributes of users make them members of a segment: rules in words, and what each attribute adds."""
    from pgaudience.explaining import fit_rules, importances, read_people, require_scikit_learn
    from pgaudience.printing import print_table

    require_scikit_learn()
    with target.open() as (connection, _):
        people = read_people(connection, name)
        found = fit_rules(people, leaves)
        columns = zip(*((rule.segment_id, rule.words, rule.share, rule.right) for rule in found.rules), strict=True)
        print_table(connection.execute(_RULES, [*map(list, columns), name]))
        added = importances(people)
        most = [max(each.by_segment, key=lambda segment: (each.by_segment[segment], -segment)) for each in added]
        print_table(
            connection.execute(
                _IMPORTANCES,
                [
                    [each.attribute for each in added],
                    [each.importance for each in added],
                    most,
                    [each.by_segment[segment] for each, segment in zip(added, most, strict=True)],
                    name,
                ],
            )
        )
    whom = f"{found.judged:,} users who were held back" if found.were_held_back else "the users it was fitted to"
    click.echo(
        f"The rules are right for {found.right:.0%} of {whom}; the largest segment alone for {found.largest:.0%}",
        err=True,
    )


COMMANDS = (describe, enrich, explain_segments)
