"""Searches for interests that were planted: ten themes over fifty users, and the ten people of the bundled example."""

from __future__ import annotations

from collections import defaultdict
from statistics import fmean
from typing import Any

from embed import Silent

from judging.filling import CHECKOUT, filled, shared
from judging.searching import DEFAULT, SEARCHES, Connection, by_weighting, first
from judging.truth import read_labels
from pgaudience.embedding.embed import embed_pending
from pgaudience.embedding.provider import Provider
from pgaudience.loading.load import load
from pgaudience.reading import Rejects, read_entries
from pgaudience.refresh import refresh

NOT_A_THEME = "Noise"
FIRST = 5
PRECISION = 0.9

PLACES = CHECKOUT / "examples" / "places.json"
# Who is who, by the author of the example.
EXPECTED = {
    "horror": {"user_ski_horror_romcom", "user_ski_tennis_horror", "user_ski_tennis_horror_with_noise"},
    "ski": {
        "user_ski_only",
        "user_ski_with_daily_life",
        "user_ski_horror_romcom",
        "user_ski_tennis_horror",
        "user_ski_tennis_horror_with_noise",
    },
    "Taylor Swift": {"user_taylor_swift_fan", "user_taylor_swift_with_noise"},
    "parent": {"user_party_parent"},
    "luxury": {"user_luxury"},
}
DESCRIPTIONS = PLACES.with_name("places_entries.csv")
TEMPLATE = "{entry}: {description}"
# No text of an entry says it: that takes entries with descriptions, none of which has a word of a query.
NEEDS_DESCRIPTIONS = {"luxury"}


def themes(provider: Provider) -> dict[str, Any]:
    """Return the precision of the first five users, as a mean over the themes that have at least that many."""
    planted: dict[str, set[str]] = defaultdict(set)
    for theme, user in read_labels(shared("livnlearn/user_labels_themes50.csv.gz"), "category", of="user_id"):
        planted[theme].add(user)
    names = sorted(theme for theme, users in planted.items() if theme != NOT_A_THEME and len(users) >= FIRST)
    vectors = provider.embed_queries(names)
    by_search: dict[str, Any] = {}
    with filled(shared("livnlearn/events_themes50.csv.gz"), provider) as connection:
        for search in by_weighting(connection, SEARCHES):
            precisions = {
                name: len(planted[name] & set(first(connection, search, vector, FIRST))) / FIRST
                for name, vector in zip(names, vectors, strict=True)
            }
            by_search[search.name] = {"precision_at_5": round(fmean(precisions.values()), 4), "by_theme": precisions}
    reached = by_search[DEFAULT.name]["precision_at_5"]
    return {
        "users_by_theme": {name: len(planted[name]) for name in names},
        "searches": {search.name: by_search[search.name] for search in SEARCHES},
        "target": {"precision_at_5_of_default": PRECISION, "met": reached >= PRECISION},
    }


def places(provider: Provider) -> dict[str, Any]:
    """Say which queries of the bundled example are answered as expected."""
    with filled(PLACES, provider) as connection:
        passed = passed_queries(connection, provider)
        describe(connection, provider)
        passed_described = passed_queries(connection, provider)
    wanted = set(EXPECTED) - NEEDS_DESCRIPTIONS
    met = wanted <= set(passed[DEFAULT.name]) and set(EXPECTED) == set(passed_described[DEFAULT.name])
    return {
        "queries": list(EXPECTED),
        "passed": {search.name: passed[search.name] for search in SEARCHES},
        "passed_with_descriptions": {search.name: passed_described[search.name] for search in SEARCHES},
        "target": {"passed_by_default": sorted(wanted), "with_descriptions": sorted(EXPECTED), "met": met},
    }


def describe(connection: Connection, provider: Provider) -> None:
    """Give the entries of the example their descriptions, and embed them with those."""
    with Rejects(strict=True) as rejects:
        load(connection, [], entries=read_entries(DESCRIPTIONS, None, None, rejects))
    connection.execute("update space set entry_template = %s", [TEMPLATE])
    connection.commit()
    embed_pending(connection, provider, Silent())
    refresh(connection)


def passed_queries(connection: Connection, provider: Provider) -> dict[str, list[str]]:
    """Return for every search the queries for which exactly the expected users come first, in any order."""
    vectors = provider.embed_queries(list(EXPECTED))
    return {
        search.name: [
            query
            for (query, users), vector in zip(EXPECTED.items(), vectors, strict=True)
            if set(first(connection, search, vector, len(users))) == users
        ]
        for search in by_weighting(connection, SEARCHES)
    }
