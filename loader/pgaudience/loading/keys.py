"""The keys of users and entries by their texts; those that are new are inserted."""

from __future__ import annotations

from typing import LiteralString

import numpy as np
from numpy.typing import NDArray

from pgaudience.database import Connection

# One load of a space at a time gets here: no deadlocks, and the keys that are read stay true until the end.
LOCK = "select pg_advisory_xact_lock(lock_key('load'))"

_CREATE = """
create temporary table staged_texts (
    number bigint generated always as identity,
    text text
) on commit drop
"""

_NORMALIZE = """
create temporary table normal_texts on commit drop as
select t.number, n.text, text_hash(n.text) as hash
from staged_texts t
cross join lateral (select normalize_text(t.text) as text offset 0) n
"""

_INSERT_USERS = """
insert into users (user_id)
select distinct t.text
from normal_texts t
where not exists (select from users u where u.user_id = t.text)
order by t.text
"""

_IS_DISTRIBUTED = "select distributed from space"

_USER_KEYS = """
select array_agg(u.user_key order by t.number)
from normal_texts t
join users u on u.user_id = t.text
"""

_INSERT_ENTRIES = """
insert into entries (entry)
select distinct on (t.hash) t.text
from normal_texts t
where not exists (select from entries e where text_hash(e.entry) = t.hash)
order by t.hash
"""

_ENTRY_KEYS = """
select array_agg(e.entry_key order by t.number)
from normal_texts t
join entries e on text_hash(e.entry) = t.hash
"""


def is_distributed(connection: Connection) -> bool:
    """Return whether the users of the space are on several machines."""
    return connection.execute(_IS_DISTRIBUTED).fetchone() == (True,)


def stage_texts(connection: Connection, texts: list[str]) -> None:
    """Put texts in the table normal_texts, by their numbers from 1 on, as they are stored."""
    connection.execute(_CREATE)
    with connection.cursor().copy("copy staged_texts (text) from stdin") as copy:
        for text in texts:
            copy.write_row((text,))
    connection.execute(_NORMALIZE)
    connection.execute("analyze normal_texts")


class Keys:
    """The keys of one kind of texts, by the number that the load has given each text."""

    def __init__(self, connection: Connection, insert: LiteralString, select: LiteralString) -> None:
        self._connection = connection
        self._insert: LiteralString = insert
        self._select: LiteralString = select
        self.by_number: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self.inserted = 0

    def settle(self) -> None:
        """Do nothing: these keys are true when they are found."""

    @classmethod
    def of_users(cls, connection: Connection) -> Keys:
        """Keys of user ids."""
        return cls(connection, _INSERT_USERS, _USER_KEYS)

    @classmethod
    def of_entries(cls, connection: Connection) -> Keys:
        """Keys of entries."""
        return cls(connection, _INSERT_ENTRIES, _ENTRY_KEYS)

    def extend(self, texts: list[str]) -> None:
        """Find or make the keys of the texts that have the next numbers."""
        if not texts:
            return
        connection = self._connection
        connection.execute(LOCK)
        stage_texts(connection, texts)
        self.inserted += connection.execute(self._insert).rowcount
        (keys,) = connection.cursor(binary=True).execute(self._select).fetchone() or ([],)
        connection.execute("drop table staged_texts, normal_texts")
        self.by_number = np.concatenate([self.by_number, np.array(keys, dtype=np.int64)])
