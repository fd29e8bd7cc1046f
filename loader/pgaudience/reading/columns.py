"""Which source column plays which part."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pgaudience.errors import PgaudienceError

USER_NAMES = (
    "user_id", "user", "customer_id", "customer", "client_id", "client", "member_id", "member", "visitor_id",
    "visitor", "household_id", "household", "account_id", "account", "session_id", "session", "uid", "userid",
    "customerid", "household_key", "person_id", "person", "user_key", "user_name", "username",
)  # fmt: skip
ENTRY_NAMES = (
    "entry", "item", "product", "product_name", "item_name", "place", "query", "search", "search_term", "search_query",
    "term", "description", "title", "name", "url", "site", "page", "category", "product_type", "event_name", "text",
)  # fmt: skip
FREQUENCY_NAMES = (
    "frequency", "freq", "count", "quantity", "qty", "n", "times", "visits", "views", "clicks", "searches",
    "purchases", "hits",
)  # fmt: skip
OCCURRED_AT_NAMES = (
    "occurred_at", "timestamp", "time", "event_time", "client_time", "datetime", "date", "created_at", "invoice_date",
    "invoicedate", "event_date", "order_date", "transaction_timestamp", "visited_at", "searched_at", "ts",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of the source columns that play a part; None is to be guessed from the header.

    Without a frequency, each row is an event and counts 1. `attributes` are the columns of the activity that describe
    its user, and `session` what a row was part of; these are never guessed.
    """

    user: str | None = None
    entry: str | None = None
    frequency: str | None = None
    occurred_at: str | None = None
    attributes: tuple[str, ...] = ()
    session: str | None = None

    def names(self) -> tuple[str, ...]:
        """Name the columns to read: user, entry, then frequency, occurred_at and session if any, then attributes."""
        parts = (self.user, self.entry, self.frequency, self.occurred_at, self.session)
        return (*(name for name in parts if name is not None), *self.attributes)

    def __str__(self) -> str:
        parts = ("user", self.user), ("entry", self.entry), ("frequency", self.frequency), (
            "occurred_at", self.occurred_at,
        ), ("session", self.session), ("attributes", ", ".join(self.attributes))  # fmt: skip
        return ", ".join(f"{part} = {name}" for part, name in parts if name)


def resolve(columns: Columns, header: Sequence[str], source: str) -> Columns:
    """Find the columns in a header: those named as they are, the others by the usual names.

    Names match whatever their case, with spaces and dashes as underscores; of the usual names the first listed wins.
    A column that was named for one part is not guessed for another, but that of sessions may be the time as well.

    Raises PgaudienceError when a named column is not there, or no column looks like the user or the entry.
    """
    user = find_named(columns.user, "--user", header, source)
    entry = find_named(columns.entry, "--entry", header, source)
    frequency = find_named(columns.frequency, "--frequency", header, source)
    occurred_at = find_named(columns.occurred_at, "--occurred-at", header, source)
    session = find_named(columns.session, "--session", header, source)
    attributes = tuple(find_named(name, "--attributes", header, source) or "" for name in columns.attributes)
    free = [name for name in header if name not in {user, entry, frequency, occurred_at, session, *attributes}]
    found = Columns(
        user=user or guess_required("user", USER_NAMES, free, header, source),
        entry=entry or guess_required("entry", ENTRY_NAMES, free, header, source),
        frequency=frequency or guess(FREQUENCY_NAMES, free),
        occurred_at=occurred_at or guess(OCCURRED_AT_NAMES, [*free, session or ""]),
        attributes=attributes,
        session=session,
    )
    require_single(found.names(), header, source)
    return found


def find_named(name: str | None, option: str, header: Sequence[str], source: str) -> str | None:
    """Find the header's own spelling of a column that was named; None where none was named.

    A header without names is that of a source without rows: any name will do.
    """
    if name is None or name in header or not header:
        return name
    for spelling in header:
        if _normal(spelling) == _normal(name):
            return spelling
    raise PgaudienceError(
        f"{source} has no column {name!r}; it has {listed(header)}", f"name one of them with {option}"
    )


def guess_required(
    part: str,
    usual: Sequence[str],
    free: Sequence[str],
    header: Sequence[str],
    source: str,
    option: str | None = None,
) -> str:
    """Find the column with one of the usual names of a part that every source with rows must have."""
    found = guess(usual, free) if header else usual[0]
    if found is None:
        raise PgaudienceError(
            f"no column of {source} looks like the {part}; it has {listed(header)}",
            f"name it with {option or f'--{part}'} COLUMN, or call it one of: {', '.join(usual)}",
        )
    return found


def require_single(names: Sequence[str], header: Sequence[str], source: str) -> None:
    """Raise PgaudienceError where one of these columns, unless it has no name, is there more than once."""
    for name in filter(None, names):
        if header.count(name) > 1:
            raise PgaudienceError(f"{source} has {header.count(name)} columns called {name!r}", "rename all but one")


def guess(usual: Sequence[str], free: Sequence[str]) -> str | None:
    """Find the column with one of the usual names, the first of which wins; None where there is none."""
    spellings = {_normal(name): name for name in reversed(free)}
    return next((spellings[name] for name in usual if name in spellings), None)


def _normal(name: str) -> str:
    return re.sub(r"[\s_-]+", "_", name.strip()).lower()


def listed(header: Sequence[str]) -> str:
    """List the columns there are, for a message."""
    return ", ".join(header)
