"""What entries gain by being described: searches for labels, before and after, by COMP and the precision of the top.

A description may hold the very words that are searched for: how many it adds is said, and each one is judged once more
without any word of any label of the column. Words are compared in lower case and without their plural.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from embed import Silent
from measuring import say
from psycopg.types.json import Jsonb
from serving import SCHEMA

from judging.filling import filled, shared
from judging.intervals import gain
from judging.labelled import SMALL
from judging.metrics import Truth, judge
from judging.searching import DEFAULT, Connection, rank_all
from judging.truth import Population, population, read_labels, truths
from pgaudience.database import open_space
from pgaudience.embedding.embed import embed_pending
from pgaudience.embedding.provider import Provider
from pgaudience.loading.load import load
from pgaudience.reading import Rejects, read_entries
from pgaudience.refresh import refresh
from pgaudience.wording import read_glossary, spell_out

GLOSSARIES = Path(__file__).parents[1] / "glossaries"
METRICS = ("comp", "precision_at_20")
_ENTRY = "{entry} — "
_WORD = re.compile(r"[^\W\d_]+")
_LEFT = "without words of labels"

_TEXTS = "select t.entry_key, t.entry, t.text from entry_texts t order by t.entry_key"
_DESCRIBE = """
update entries e
set attributes = e.attributes || d.attributes
from unnest(%s::bigint[], %s::jsonb[]) d (entry_key, attributes)
where e.entry_key = d.entry_key
"""


@dataclass(frozen=True, slots=True)
class Enriched:
    """The columns of a file of entries that are labels, and the descriptions that are compared, as templates."""

    columns: tuple[str, ...]
    descriptions: Mapping[str, str]


DATA = {
    "completejourney": Enriched(
        ("department", "product_category"),
        {"glossary": "{spelled_out}", "attributes": "{product_category}, {department}"},
    ),
    "instacart-sample": Enriched(("aisle", "department"), {"attributes": "{aisle}, {department}"}),
}


def measure(folder: str, provider: Provider, *, small: bool) -> dict[str, Any]:
    """Judge the default search of each column's labels for the bare entries, and for each description of them."""
    data = DATA[folder]
    entries = shared(f"{folder}/entries.csv.gz")
    with filled(shared(f"{folder}/events.csv.gz"), provider) as connection:
        judged = population(connection)
        pairs = {column: read_labels(entries, column) for column in data.columns}
        labels = {column: truths(connection, judged, of) for column, of in pairs.items()}
        if small:
            labels = {column: dict(list(of.items())[:SMALL]) for column, of in labels.items()}
        bare = {column: _judge(connection, judged, of, provider) for column, of in labels.items()}
        report = {
            column: {"labels": len(of), "texts": {"entries alone": {**_means(of)}}} for column, of in bare.items()
        }
        _describe(connection, folder, entries)
        for name, template in data.descriptions.items():
            _embed(connection, provider, _ENTRY + template)
            described = connection.execute(_TEXTS).fetchall()
            for column, of in labels.items():
                figures = _judge(connection, judged, of, provider)
                words = {word for label, _ in pairs[column] for word in _words(label)}
                report[column]["texts"][name] = {
                    **_means(figures),
                    "over_entries_alone": _gain(figures, bare[column]),
                    "words_of_labels_added": _added(described, words),
                }
            for column, of in labels.items():
                words = {word for label, _ in pairs[column] for word in _words(label)}
                _strip(connection, described, words)
                _embed(connection, provider, _ENTRY + "{" + _LEFT + "}")
                figures = _judge(connection, judged, of, provider)
                report[column]["texts"][f"{name}, {_LEFT}"] = {
                    **_means(figures),
                    "over_entries_alone": _gain(figures, bare[column]),
                }
            say(f"{folder}: {name}")
    return {"judged_users": len(judged.places), "entries": len(described), "enriched": report}


def _describe(connection: Connection, folder: str, entries: Path) -> None:
    """Give the entries the attributes of a file, as `load --entries` does, and those of `enrich --glossary`."""
    with Rejects() as rejects:
        load(connection, [], entries=read_entries(entries, None, "entry", rejects))
    glossary = GLOSSARIES / f"{folder}.csv"
    if glossary.exists():
        spell_out(connection, open_space(connection, SCHEMA), read_glossary(glossary))


def _embed(connection: Connection, provider: Provider, template: str) -> None:
    connection.execute("update space set entry_template = %s", [template])
    connection.commit()
    embed_pending(connection, provider, Silent())
    refresh(connection)


def _judge(
    connection: Connection, judged: Population, labels: Mapping[str, Truth], provider: Provider
) -> list[dict[str, float]]:
    ranked = rank_all(connection, DEFAULT, provider.embed_queries(list(labels)))
    return [judge(judged.order(users), labels[label]) for label, users in zip(labels, ranked, strict=True)]


def _means(figures: list[dict[str, float]]) -> dict[str, float]:
    return {metric: round(float(np.mean([each[metric] for each in figures])), 4) for metric in METRICS}


def _gain(figures: list[dict[str, float]], bare: list[dict[str, float]]) -> dict[str, Any]:
    now, before = (np.array([each["comp"] for each in found]) for found in (figures, bare))
    return gain(now, before)


def _added(described: Iterable[tuple[int, str, str]], labels: set[str]) -> dict[str, int]:
    """Count the words of labels that descriptions add to their entries, and the entries that get any."""
    added = [len((set(_words(text)) - set(_words(entry))) & labels) for _, entry, text in described]
    return {"words": sum(added), "entries": sum(count > 0 for count in added)}


def _strip(connection: Connection, described: Iterable[tuple[int, str, str]], labels: set[str]) -> None:
    """Keep of each description what is of no label, as an attribute."""
    left = [(key, without(text.removeprefix(entry), labels)) for key, entry, text in described]
    keys, texts = zip(*left, strict=True)
    connection.execute(_DESCRIBE, [list(keys), [Jsonb({_LEFT: text}) for text in texts]])
    connection.commit()


def without(text: str, words: set[str]) -> str:
    """Return the words of a text that are not among some."""
    return " ".join(word for word in _WORD.findall(text) if _stem(word) not in words)


def _words(text: str) -> Iterator[str]:
    return (_stem(word) for word in _WORD.findall(text))


def _stem(word: str) -> str:
    """Return an English word without its plural, in lower case."""
    word = word.casefold()
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word
