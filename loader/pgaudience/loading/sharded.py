"""From the staged rows into activity where users are on several machines: each merges what it has."""

from __future__ import annotations

from typing import Literal

from pgaudience.database import Connection

_DELETE_GONE = """
delete from activity a
where exists (select from staged_activity s where s.user_key = a.user_key)
    and not exists (
        select from staged_activity s where s.user_key = a.user_key and s.entry_key = a.entry_key
    )
"""

_UPDATE_CHANGED = """
update activity a
set frequency = p.frequency, first_at = p.first_at, last_at = p.last_at
from staged_pairs p
where p.user_key = a.user_key and p.entry_key = a.entry_key
    and (p.frequency, p.first_at, p.last_at) is distinct from (a.frequency, a.first_at, a.last_at)
"""

_ADD_TO_KNOWN = """
update activity a
set
    frequency = a.frequency + p.frequency,
    first_at = least(a.first_at, p.first_at),
    last_at = greatest(a.last_at, p.last_at)
from staged_pairs p
where p.user_key = a.user_key and p.entry_key = a.entry_key
"""

_INSERT_NEW = """
insert into activity (user_key, entry_key, frequency, first_at, last_at)
select p.*
from staged_pairs p
where not exists (select from activity a where a.user_key = p.user_key and a.entry_key = p.entry_key)
order by p.user_key, p.entry_key
"""

_INSERT_ALL = """
insert into activity (user_key, entry_key, frequency, first_at, last_at)
select p.*
from staged_pairs p
order by p.user_key, p.entry_key
"""


def merge_shards(
    connection: Connection, mode: Literal["replace", "add"], *, only_new_users: bool
) -> tuple[int, int, int]:
    """Bring what is in staged_activity into activity; return how many rows were removed, changed and added."""
    connection.execute("analyze staged_activity")
    removed = changed = 0
    if only_new_users:
        added = connection.execute(_INSERT_ALL).rowcount
    else:
        if mode == "replace":
            removed = connection.execute(_DELETE_GONE).rowcount
        changed = connection.execute(_UPDATE_CHANGED if mode == "replace" else _ADD_TO_KNOWN).rowcount
        added = connection.execute(_INSERT_NEW).rowcount
    return removed, changed, added
