"""What a load has done, for people to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pgaudience.terminal import escaped

if TYPE_CHECKING:
    from pgaudience.database import Connection
    from pgaudience.learning import Given
    from pgaudience.loading.entries import MergedEntries
    from pgaudience.loading.merge import Merged, Rule
    from pgaudience.reading import Rejects


_RESOLVED = {
    "last": "the last one counts",
    "first": "the first one counts",
    "most": "the commonest counts",
    "null": "none of them counts",
}


def report(rejects: Rejects, merged: Merged, conflicts: Rule) -> None:
    """Say what became of the rows, and what a load has changed."""
    for source in rejects.sources:
        _report_source(rejects, source)
    _report_examples(rejects)
    for each in merged.unfinished:
        _say(f"{each.name}: its rows are in since {each.loaded_at:%Y-%m-%d %H:%M}; going on with what was left to do")
    if merged.forgotten:
        _say(f"{merged.forgotten:,} rows of users who were forgotten were left out; see docs/sources.md")
    _say(
        f"{merged.new_users:,} new users, {merged.new_entries:,} new entries; pairs of user and entry:"
        f" {merged.pairs_added:,} added, {merged.pairs_changed:,} changed, {merged.pairs_removed:,} removed"
    )
    if merged.sessions:
        _say(f"{merged.sessions:,} sessions are new or have other entries now")
    if merged.attributes_changed:
        _say(f"{merged.attributes_changed:,} users have new attributes")
    for attribute, users in merged.conflicts.items():
        _say(f"  {users:,} users have several values of {attribute}; {_RESOLVED[conflicts]}")
    _report_texts(merged.texts)


def report_entries(merged: MergedEntries) -> None:
    """Say what a load has changed of entries."""
    _say(f"{merged.changed:,} entries have new attributes")
    for attribute, entries in merged.lists.items():
        _say(f"  {entries:,} entries have several values of {attribute}, kept as a list")
    _report_texts(merged.texts)
    if merged.unknown:
        _say(
            f"  {merged.unknown:,} texts are of no entry in the space, and were left out;"
            " load the file again when somebody has them"
        )


def report_vectors(rejects: Rejects, given: Given) -> None:
    """Say what became of vectors that were made elsewhere."""
    for source in rejects.sources:
        _report_source(rejects, source)
    _report_examples(rejects)
    _say(f"{given.stored:,} {given.kind} have the vectors of the file")
    if given.unknown:
        _say(f"  {given.unknown:,} vectors are of no {given.kind} in the space, and were left out")
    if given.repeated:
        _say(f"  {given.repeated:,} vectors gave way to a later one of the same")


def report_family(connection: Connection) -> None:
    """Name the spaces over the same people, which a load leaves stale."""
    spaces = [row[0] for row in connection.execute("select space from derived_spaces order by space").fetchall()]
    if spaces:
        _say(f"Spaces over these people are stale now: {', '.join(spaces)}")
        _say("Bring them up to date: pgaudience refresh --all")


def propose_template(connection: Connection) -> None:
    """Say how what is known of entries in words gets into the text that is embedded, where none of it does."""
    from pgaudience.wording.templates import proposed_template

    template = proposed_template(connection)
    if template is not None:
        _say("To embed what is known of entries with them, take of it what says what they are:")
        _say(f"  pgaudience migrate --entry-template {template}")


def _report_texts(texts: dict[str, int]) -> None:
    for attribute, values in texts.items():
        _say(
            f"  {attribute} is a text from now on, as not all its values are numbers; {values:,} numbers were rewritten"
        )


def _report_examples(rejects: Rejects) -> None:
    for example in rejects.examples:
        _say(f"  line {example.line}: {example.reason.text}: {example.row}")
    if rejects.reasons:
        _say(f"  All rejected rows are in {rejects.path}")


def _report_source(rejects: Rejects, source: str) -> None:
    account = rejects.account(source)
    _say(f"{source}: {account.read:,} rows read, {account.accepted:,} accepted, {account.rejected:,} rejected")
    for reason, rows in account.reasons.items():
        _say(f"  {rows:>11,}  {reason}")
    for doubted in rejects.doubts.of(source):
        values = ", ".join(f"'{value}' ({rows:,})" for value, rows in doubted.values)
        _say(f"  Warning: {doubted.rows:,} {doubted.doubt.text}: {values}; {doubted.doubt.mend}")


def _say(line: str) -> None:
    click.echo(escaped(line), err=True)
