"""The rows of one load on their way to the server, in blocks of bounded memory.

Most rows repeat a user and an entry that were seen before. Each distinct text therefore crosses the wire once, to get
its key; the rows of a block are added up to pairs of keys here, and only those are sent.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pgaudience.database import Connection
from pgaudience.loading.forgotten import Forgotten
from pgaudience.loading.keys import Keys, is_distributed
from pgaudience.loading.numbering import Numbering
from pgaudience.loading.pairs import Pairs, add_up, copy_pairs
from pgaudience.loading.proposals import ProposedKeys
from pgaudience.loading.sessions import SessionStaging
from pgaudience.reading import NO_TIME, Attributes, Chunk, Described

ROWS_IN_A_BLOCK = 1_000_000
MOST_REMEMBERED = 100_000

_CREATE_PAIRS = """
create temporary table staged_pairs (
    user_key bigint,
    entry_key bigint,
    frequency double precision,
    first_at timestamptz,
    last_at timestamptz
) on commit drop
"""

_CREATE = """
create temporary table staged_attributes (
    position bigint generated always as identity,
    user_number bigint,
    attributes jsonb
) on commit drop;
create temporary table staged_users (number bigint, user_key bigint) on commit drop;
"""


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of activity with numbers in place of texts, all of shape (n,); times as in Chunk, but never None."""

    users: NDArray[np.int32]
    entries: NDArray[np.int32]
    frequencies: NDArray[np.float64]
    times: NDArray[np.int64]


class Staging:
    """What a load has read; the staging tables go with the transaction.

    After `finish`, the last block of activity is in `block` and the others are in the table staged_pairs, or where the
    users are on several machines in staged_activity, which is on these; attributes
    are in staged_attributes, by the numbers that staged_users has keys for, without values that are `unknown`; each as
    often as it was read if it `counts`, else not where it was the last of its user.
    """

    def __init__(self, connection: Connection, unknown: Collection[str] = (), *, counts: bool = False) -> None:
        self._connection = connection
        self._unknown, self._counts = frozenset(unknown), counts
        self._users, self._entries = Numbering(), Numbering()
        self.forgotten = Forgotten(connection)
        self.is_distributed = is_distributed(connection)
        self.user_keys: Keys | ProposedKeys
        self.entry_keys: Keys | ProposedKeys
        if self.is_distributed:
            self.user_keys, self.entry_keys = ProposedKeys(connection, "users"), ProposedKeys(connection, "entries")
        else:
            self.user_keys, self.entry_keys = Keys.of_users(connection), Keys.of_entries(connection)
            connection.execute(_CREATE_PAIRS)
        self.sessions = SessionStaging(connection)
        self.block: Pairs | None = None
        self.blocks_sent = 0
        self._rows: list[_Rows] = []
        self._count = 0
        self.has_attributes = False
        self._last_attributes: dict[int, Attributes] = {}
        connection.execute(_CREATE)

    def add(self, chunk: Chunk, attribute_names: Sequence[str]) -> int:
        """Take the rows of a chunk, and the users' attributes in its extra columns; return how many were taken."""
        stay = self.forgotten.others(chunk.users)
        if stay is not None:
            chunk = chunk.only(stay)
        users, entries = self._users.number(chunk.users), self._entries.number(chunk.entries)
        times = np.full(len(users), NO_TIME) if chunk.times is None else chunk.times
        self._rows.append(_Rows(users, entries, chunk.frequencies, times))
        self.sessions.add(chunk.sessions, len(users))
        if chunk.attributes is not None:
            self._stage_attributes(users, [dict(zip(attribute_names, row, strict=True)) for row in chunk.attributes])
        self._count += len(users)
        if self._count > ROWS_IN_A_BLOCK:
            self.end_block()
            self.send_block()
        return len(users)

    def add_users(self, chunk: Described) -> None:
        """Take users with their attributes."""
        stay = self.forgotten.others(chunk.texts)
        if stay is not None:
            chunk = chunk.only(stay)
        self._stage_attributes(self._users.number(chunk.texts), chunk.attributes)

    def finish(self) -> None:
        """Find the keys of what is left."""
        self.settle()
        self.forgotten.finish()
        if self.has_attributes:
            with self._connection.cursor().copy("copy staged_users (number, user_key) from stdin") as copy:
                for row in enumerate(self.user_keys.by_number.tolist()):
                    copy.write_row(row)

    @property
    def has_only_new_users(self) -> bool:
        """Whether this load has made all the users it holds, so that none can have activity yet."""
        return self.user_keys.inserted == np.unique(self.user_keys.by_number).size

    def send_block(self) -> None:
        """Send the pairs of the block to the others."""
        if self.block is not None:
            copy_pairs(self._connection, "staged_activity" if self.is_distributed else "staged_pairs", self.block)
            self.blocks_sent += 1
        self.block = None

    def settle(self) -> None:
        """Find the keys of all texts so far: from now on, no other load comes between."""
        self.user_keys.settle()
        self.entry_keys.settle()
        self.end_block()

    def end_block(self) -> None:
        """Find the keys of the texts so far, and add up the rows of the block."""
        self.user_keys.extend(self._users.take_new())
        self.entry_keys.extend(self._entries.take_new())
        self.forgotten.check()
        if self._count:
            rows = self._rows
            users = self.user_keys.by_number[np.concatenate([part.users for part in rows])]
            entries = self.entry_keys.by_number[np.concatenate([part.entries for part in rows])]
            self.sessions.end_block(users, entries)
            self.block = add_up(
                users,
                entries,
                np.concatenate([part.frequencies for part in rows]),
                np.concatenate([part.times for part in rows]),
            )
        self._rows, self._count = [], 0

    def _stage_attributes(self, users: NDArray[np.int32], rows: Sequence[Attributes]) -> None:
        self.has_attributes = True
        if len(self._last_attributes) > MOST_REMEMBERED:
            self._last_attributes.clear()
        with self._connection.cursor().copy("copy staged_attributes (user_number, attributes) from stdin") as copy:
            for user, row in zip(users.tolist(), rows, strict=True):
                attributes = self._known(row)
                if self._counts or self._last_attributes.get(user) != attributes:
                    self._last_attributes[user] = attributes
                    copy.write_row((user, json.dumps(attributes)))

    def _known(self, attributes: Attributes) -> Attributes:
        if not self._unknown:
            return attributes
        return {name: None if value in self._unknown else value for name, value in attributes.items()}
