"""Abbreviations in entries, spelled out after a glossary: no model is asked."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pgaudience.database import Connection, Space
from pgaudience.errors import PgaudienceError
from pgaudience.wording.enriching import SPELLED_OUT, check_base

_COLUMNS = ("abbreviation", "meaning")
_KIND = """
insert into attribute_kinds (relation, attribute, kind)
values ('entries', %s, 'text')
on conflict (relation, attribute) do update set kind = excluded.kind where attribute_kinds.kind <> excluded.kind
"""
_ENTRIES = "select e.entry_key, e.entry from entries e order by e.entry_key"
_CREATE = "create temporary table spelled_entries (entry_key bigint, text text) on commit drop"
_SET = """
update entries e
set attributes = case
    when s.text is null then e.attributes - %(name)s::text
    else e.attributes || jsonb_build_object(%(name)s::text, s.text)
end
from entries o
left join spelled_entries s using (entry_key)
where o.entry_key = e.entry_key and e.attributes ->> %(name)s::text is distinct from s.text
"""


@dataclass(frozen=True, slots=True)
class SpelledOut:
    """How many entries have abbreviations of the glossary, and how many of them changed now."""

    entries: int
    changed: int


def read_glossary(path: Path) -> dict[str, str]:
    """Read a CSV file with the columns `abbreviation` and `meaning`. Raises PgaudienceError where it is none."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            names = {(name or "").strip().lower(): name for name in rows.fieldnames or ()}
            if not names.keys() >= set(_COLUMNS):
                raise PgaudienceError(
                    f"{path} has the columns {', '.join(names) or 'nothing'}",
                    "A glossary is a CSV file whose first line is: abbreviation,meaning",
                )
            short, long = (names[name] for name in _COLUMNS)
            pairs = [(_text(row[short]), _text(row[long])) for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PgaudienceError(f"cannot read {path}: {error}", "A glossary is a CSV file in UTF-8.") from error
    return {short: long for short, long in pairs if short and long}


def spell_out(connection: Connection, space: Space, glossary: Mapping[str, str]) -> SpelledOut:
    """Give each entry with an abbreviation the attribute `spelled_out`, and take it from those that have none.

    An abbreviation is found as a word of its own, whatever its case; the longest one first.

    Raises PgaudienceError in a space that has the entries of another one.
    """
    check_base(space)
    with connection.transaction():
        connection.execute(_KIND, [SPELLED_OUT])
        connection.execute(_CREATE)
        entries = connection.execute(_ENTRIES).fetchall()
        found = [(key, text) for key, entry in entries if (text := spelled_out(entry, glossary)) != entry]
        with connection.cursor().copy("copy spelled_entries (entry_key, text) from stdin") as copy:
            for row in found:
                copy.write_row(row)
        changed = connection.execute(_SET, {"name": SPELLED_OUT}).rowcount
    return SpelledOut(len(found), changed)


def spelled_out(entry: str, glossary: Mapping[str, str]) -> str:
    """Return a text with its abbreviations spelled out."""
    if not glossary:
        return entry
    known = {short.casefold(): long for short, long in glossary.items()}
    return _pattern(tuple(sorted(glossary))).sub(lambda found: known.get(found[0].casefold(), found[0]), entry)


def _pattern(abbreviations: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(abbreviations, key=lambda each: (-len(each), each))
    words = "|".join(map(re.escape, longest_first))
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)


def _text(value: str | None) -> str:
    return " ".join((value or "").split())
