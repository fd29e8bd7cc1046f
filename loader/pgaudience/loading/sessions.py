"""Orders and sessions: what was had together, one row each, from a load into the space."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pgaudience.database import Connection
from pgaudience.errors import PgaudienceError
from pgaudience.loading.keys import is_distributed
from pgaudience.loading.numbering import Numbering

_CREATE = """
create temporary table if not exists staged_sessions (
    user_key bigint,
    session_id text,
    entry_keys bigint[]
) on commit drop
"""
_COPY = "copy staged_sessions (user_key, session_id, entry_keys) from stdin"

# A session may come in several blocks, and its id in several spellings.
_READ = """
create temporary table read_sessions on commit drop as
select s.user_key, n.session_id, array_agg(distinct e.entry_key order by e.entry_key) as entry_keys
from staged_sessions s
cross join lateral (select normalize_text(s.session_id) as session_id offset 0) n
cross join lateral unnest(s.entry_keys) e (entry_key)
where n.session_id <> ''
group by s.user_key, n.session_id
"""

_HAS_SESSIONS = "select exists (select from sessions)"
_REMOVE_GONE = """
delete from sessions o
where o.user_key in (select s.user_key from staged_pairs s)
    and not exists (
        select from read_sessions r where (r.user_key, r.session_id) = (o.user_key, o.session_id)
    )
"""
_REMOVE_ALL = "delete from sessions o where o.user_key in (select s.user_key from staged_pairs s)"

_REPLACE = """
insert into sessions as o (user_key, session_id, entry_keys)
select r.user_key, r.session_id, r.entry_keys
from read_sessions r
order by r.user_key, r.session_id
on conflict (user_key, session_id) do update
set entry_keys = excluded.entry_keys
where o.entry_keys <> excluded.entry_keys
"""
_ADD = """
insert into sessions as o (user_key, session_id, entry_keys)
select r.user_key, r.session_id, r.entry_keys
from read_sessions r
order by r.user_key, r.session_id
on conflict (user_key, session_id) do update
set entry_keys = array(select distinct k from unnest(o.entry_keys || excluded.entry_keys) k order by k)
where not o.entry_keys @> excluded.entry_keys
"""


class SessionStaging:
    """The sessions of a load on their way to the server, block by block; nothing is done where there are none."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._numbering = Numbering()
        self._numbers: list[NDArray[np.int32]] = []
        self._ids: list[str] = []
        self.has_any = False

    def add(self, sessions: Sequence[str | None] | None, rows: int) -> None:
        """Take the sessions of some rows; None for a row in no session, or for rows of a source without such."""
        if sessions is None:
            self._numbers.append(np.full(rows, -1, dtype=np.int32))
            return
        numbers = self._numbering.number([session or "" for session in sessions])
        numbers[[session is None for session in sessions]] = -1
        self._ids += self._numbering.take_new()
        self._numbers.append(numbers)
        self.has_any = True

    def end_block(self, users: NDArray[np.int64], entries: NDArray[np.int64]) -> None:
        """Send the sessions of the block, given the keys of its rows, shape (n,) both."""
        if not self._ids:
            self._numbers = []
            return
        numbers = np.concatenate(self._numbers)
        known = numbers >= 0
        self._send(users[known], numbers[known], entries[known])
        self._numbering, self._numbers, self._ids = Numbering(), [], []

    def merge(self, mode: Literal["replace", "add"], *, only_new_users: bool) -> int:
        """Bring the sessions into the space, and return how many are new or changed.

        In mode `replace` others of the users in staged_pairs are removed, also where the load names no sessions.
        """
        connection = self._connection
        if self.has_any and is_distributed(connection):
            raise PgaudienceError("a distributed space keeps no sessions", "Load without --session.")
        if self.has_any:
            connection.execute(_READ)
            connection.execute("analyze read_sessions")
        if mode == "replace" and not only_new_users and connection.execute(_HAS_SESSIONS).fetchone() == (True,):
            connection.execute(_REMOVE_GONE if self.has_any else _REMOVE_ALL)
        if not self.has_any:
            return 0
        changed = connection.execute(_REPLACE if mode == "replace" else _ADD).rowcount
        if changed:
            connection.execute("analyze sessions")
        return changed

    def _send(self, users: NDArray[np.int64], numbers: NDArray[np.int32], entries: NDArray[np.int64]) -> None:
        order = np.lexsort((entries, numbers, users))
        users, numbers, entries = users[order], numbers[order], entries[order]
        begins = np.flatnonzero(np.diff(users, prepend=-1).astype(bool) | np.diff(numbers, prepend=-1).astype(bool))
        texts = list(map(str, entries.tolist()))
        bounds: list[int] = [*begins.tolist(), len(texts)]
        self._connection.execute(_CREATE)
        with self._connection.cursor().copy(_COPY) as copy:
            for first, last in pairwise(bounds):
                keys = "{" + ",".join(texts[first:last]) + "}"
                copy.write_row((int(users[first]), self._ids[int(numbers[first])], keys))
