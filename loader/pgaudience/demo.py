"""The whole flow on a bundled example, ending in printed query results and a report."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from pgaudience.database import Connection, Space, SpaceConnection, connect, open_space, watching
from pgaudience.embedding.registry import measure
from pgaudience.errors import PgaudienceError
from pgaudience.installing import migrate
from pgaudience.loading.load import load
from pgaudience.mapping import make_map
from pgaudience.pipeline import bring_vectors, embed_query, embed_space
from pgaudience.printing import console, print_table
from pgaudience.reading import Columns, Rejects, open_source, read_users
from pgaudience.refresh import refresh
from pgaudience.reporting import write_report
from pgaudience.resources import folder
from pgaudience.segmenting import build_segmentation


@dataclass(frozen=True, slots=True)
class Example:
    """A bundled data set and what the demo asks of it; the first three queries are searched for."""

    schema: str
    activity: str
    users: str | None
    queries: tuple[str, ...]
    user: str
    seeds: tuple[str, ...]
    alike: str | None = None
    """An entry to show what is bought like it, beside what is called like it."""


EXAMPLES = {
    "places": Example(
        schema="audience",
        activity="places.json",
        users=None,
        queries=("ski enthusiasts", "horror fans", "parents with children"),
        user="user_ski_with_daily_life",
        seeds=("user_ski_only", "user_ski_horror_romcom"),
    ),
    "retail": Example(
        schema="retail",
        activity="retail.csv.gz",
        users="retail_users.csv",
        queries=("christmas decorations", "garden and outdoor", "baking and cake stands"),
        user="14882",
        seeds=("14882", "17549"),
        alike="REGENCY CAKESTAND 3 TIER",
    ),
}

SEGMENTATION = "interests"

_OTHER_LOADS = "select count(*) from loads where digest <> %s"

_BUILT = "select count(*) from segmentations where segmentation = %s"
_STATUS = "select entries, entries_embedded, users, users_with_vector, coverage, stale from status"
_SOURCE = "select query_source('{query}')"
_SEARCH = "select rank, user_id, score, matched_entries from search_users('{query}', k => 3)"
_MEAN = "select rank, user_id, score from search_users('{diluted}', k => 3, mode => 'mean')"
_EXPLAIN = (
    "select entry, frequency, similarity, mean_part, evidence_part from explain_match('{user}', '{query}') limit 6"
)
_SIMILAR = "select * from similar_users('{user}', k => 3)"
_SEGMENTS = "select segment_id, name, users from segments where segmentation = 'interests' order by segment_id"
_BOUGHT_ALIKE = """select named.entry as named_alike, bought.entry as bought_alike
from search_entries('{entry}', k => 5) with ordinality named
join {taste}.search_entries('{entry}', k => 5) with ordinality bought using (ordinality)
where ordinality > 1"""
_TASTE_DIMENSIONS = 64
_LOOKALIKES = "select * from lookalikes(array[{seeds}], fraction => 0.25) limit 5"


def run_demo(conninfo: str, schema: str | None, dataset: str, report: Path | None = None) -> None:
    """Load, embed and refresh an example, print the answers of its space; cut it into segments and report on them.

    A shop gets a space of behaviour, too. Without a file for the report there are no segments. Segments of an earlier
    time stay as they are.

    Raises PgaudienceError when the space already holds other people.
    """
    example = EXAMPLES[dataset]
    schema = schema or example.schema
    migrate(conninfo, schema, model=None, weighting=None, measure=measure)
    with connect(conninfo) as connection, watching(conninfo, connection):
        space = open_space(connection, schema)
        _load(connection, example)
        embed_space(connection, space, None)
        for query in example.queries:
            embed_query(connection, space, query, None)
        refresh(connection)
        for statement in statements(example):
            console().print(f"{statement};", style="bold", markup=False, soft_wrap=True)
            print_table(connection.execute(statement.encode()))
        connection.commit()
        if example.alike is not None:
            _show_alike(conninfo, connection, space, example.alike)
        if report is not None:
            _report(connection, space, report)
    _go_on(console(), schema, dataset)


def statements(example: Example) -> list[str]:
    """Return the queries that the demo shows, as they can be pasted into psql."""
    words = {
        "user": example.user,
        "query": example.queries[0],
        "diluted": example.queries[1],
        "seeds": ", ".join(f"'{seed}'" for seed in example.seeds),
    }
    searches = [_SEARCH.format(query=query) for query in example.queries]
    return [
        _STATUS,
        _SOURCE.format(**words),
        *searches,
        *(text.format(**words) for text in (_MEAN, _EXPLAIN, _SIMILAR, _LOOKALIKES)),
    ]


def _show_alike(conninfo: str, connection: SpaceConnection, space: Space, entry: str) -> None:
    """Learn a space of behaviour over the same people, and show what goes together though texts do not say so."""
    taste = f"{space.schema}_taste"
    migrate(
        conninfo, taste, model="behaviour", weighting=None, of=space.schema,
        measure=lambda model: measure(model, dimensions=_TASTE_DIMENSIONS),
    )  # fmt: skip
    bring_vectors(connection, open_space(connection, taste), None)
    refresh(connection)
    open_space(connection, space.schema)
    (schema,) = connection.execute("select quote_ident(%s)", [taste]).fetchone() or (taste,)
    statement = _BOUGHT_ALIKE.format(entry=entry, taste=schema)
    console().print(f"What is called like the {entry}, and what the same people buy?", style="bold", markup=False)
    console().print(f"{statement};", style="bold", markup=False, soft_wrap=True)
    print_table(connection.execute(statement.encode()))
    connection.commit()


def _report(connection: Connection, space: Space, to: Path) -> None:
    if connection.execute(_BUILT, [SEGMENTATION]).fetchone() == (0,):
        build_segmentation(connection, SEGMENTATION, {})
        make_map(connection, space, "users", "centres", SEGMENTATION, 2)
    console().print(f"{_SEGMENTS};", style="bold", markup=False, soft_wrap=True)
    print_table(connection.execute(_SEGMENTS.encode()))
    connection.commit()
    try:
        write_report(connection, SEGMENTATION, to)
    except PgaudienceError as error:
        print(f"No report: {error.message}. {error.hint or ''}", file=sys.stderr)  # noqa: T201
        return
    console().print("A report, to look at in a browser:", style="bold")
    console().print(f"  {to}\n", markup=False, soft_wrap=True)


def _load(connection: Connection, example: Example) -> None:
    examples = folder("examples")
    with (
        Rejects(strict=True) as rejects,
        open_source(examples / example.activity, format=None, columns=Columns(), rejects=rejects) as source,
    ):
        others = connection.execute(_OTHER_LOADS, [source.digest()]).fetchone()
        connection.commit()
        if others != (0,):
            raise PgaudienceError(
                "the space already holds other data", "Give the demo a space of its own: pgaudience --schema demo demo"
            )
        users = read_users(examples / example.users, None, None, rejects) if example.users else ()
        load(connection, [source], users=users)


def _go_on(output: Console, schema: str, dataset: str) -> None:
    command = _command() + ("" if schema == "audience" else f" --schema {schema}")
    output.print("Go on in SQL:", style="bold")
    for line in (f"{command} psql", *_GO_ON[dataset], f"{command} search 'night life'"):
        output.print(f"  {line}", markup=False, soft_wrap=True)


def _command() -> str:
    """Return the name of this command, or its path where the name alone is not found."""
    return "pgaudience" if shutil.which("pgaudience") else os.path.relpath(sys.argv[0])


_GO_ON = {
    "places": (
        "select * from search_users(embed('ski enthusiasts') - embed('horror fans'), k => 5);",
        "select * from user_similarity(array['user_ski_only', 'user_luxury', 'user_party_parent']);",
        "select entry, users, frequency from search_entries('horror fans', k => 5);",
        "select rank, user_id, score from search_users('night clubs', k => 3);",
    ),
    "retail": (
        "select * from search_users('christmas decorations', k => 5, filter => '{\"country\": \"France\"}');",
        "select entry, users, frequency from search_entries('baking and cake stands', k => 5);",
        "select rank, user_id, score from search_users('presents for a tea lover', k => 3);",
        "select attributes ->> 'country' as country, count(*) from users group by 1 order by 2 desc;",
    ),
}
