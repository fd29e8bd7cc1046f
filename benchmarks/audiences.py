"""Save large audiences of every kind among a million users, and refresh them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from measuring import against, say
from purchases import fill
from serving import Connection, serving

USERS, ENTRIES, PAIRS, SIZE = 1_000_000, 12_000, 2_000_000, 50_000
SMALL_USERS, SMALL_ENTRIES, SMALL_PAIRS, SMALL_SIZE = 2_000, 1_000, 40_000, 200
MOST_SECONDS = 10

_QUERY = """
insert into queries (query, embedding, embedded_at)
select 'the first', embedding, now() from entry_vectors order by entry_key limit 1
"""

_COUNTRIES = """
update users
set attributes = case user_key % 4 when 0 then '{"country": "France"}' else '{"country": "Spain"}' end::jsonb
"""

_NEW = """
insert into activity (user_key, entry_key, frequency)
select u.user_key, 1 + u.user_key % 50, 20 from users u where u.user_key % 200 = 0
on conflict (user_key, entry_key) do update set frequency = excluded.frequency
"""

DEFINITIONS = {
    "hybrid": "search => 'the first', size => {size}, keep => 0.2",
    "mean": "search => 'the first', mode => 'mean', size => {size}",
    "a twentieth": "search => 'the first', share => 0.05",
    "French hybrid": "search => 'the first', size => {size}, filter => '{{\"country\": \"France\"}}'",
    "look-alikes": "like_audience => 'mean', size => {size}",
    "hybrid without": "search => 'the first', size => {size}, none_of => array['mean']",
    "attributes": 'filter => \'{{"country": "France"}}\'',
    "all of": "all_of => array['hybrid', 'attributes']",
    "any of": "any_of => array['mean', 'look-alikes'], size => {size}",
}


def run(*, small: bool) -> dict[str, Any]:
    """Save each once, then refresh all of them after a day in which one user in two hundred did something new."""
    users, entries, pairs, size = (
        (SMALL_USERS, SMALL_ENTRIES, SMALL_PAIRS, SMALL_SIZE) if small else (USERS, ENTRIES, PAIRS, SIZE)
    )
    with serving() as server, server.connect() as connection:
        say(f"filling the space: {users:,} users, {entries:,} entries, {pairs:,} pairs")
        data = fill(connection, users, entries, pairs)
        for statement in (_QUERY, _COUNTRIES):
            connection.execute(statement)
        connection.execute("call refresh()")
        connection.commit()
        clock = server.cpu_clock()
        saved = {
            name: _save(connection, clock, name, definition.format(size=size))
            for name, definition in DEFINITIONS.items()
        }
        connection.execute(_NEW)
        connection.execute("call refresh()")
        connection.commit()
        say("refreshing all audiences")
        refreshed = _timed(connection, "call refresh_audiences()")
        moved = connection.execute(
            "select audience, members, entered, departed, seconds from audience_history h"
            " where refreshed_at = (select max(refreshed_at) from audience_history l where l.audience = h.audience)"
        ).fetchall()
    return {"data": data, "size": size, "saved": saved, "refreshed": refreshed, "of_which": moved}


def _save(connection: Connection, clock: Callable[[], float] | None, name: str, definition: str) -> dict[str, Any]:
    used = clock() if clock else 0.0
    seconds = _timed(connection, f"call save_audience('{name}', {definition})")
    cpu = clock() - used if clock else None
    members = connection.execute("select members from audiences where audience = %s", [name]).fetchone()
    say(f"{name}: {members and members[0]:,} members in {seconds} s, {cpu or 0:.2f} s of CPU")
    return {
        "members": members and members[0],
        "seconds": seconds if cpu else against(seconds, MOST_SECONDS),
        **({"cpu_seconds": against(cpu, MOST_SECONDS)} if cpu else {}),
    }


def _timed(connection: Connection, statement: str) -> float:
    started = time.perf_counter()
    connection.execute(statement.encode())
    connection.commit()
    return round(time.perf_counter() - started, 2)
