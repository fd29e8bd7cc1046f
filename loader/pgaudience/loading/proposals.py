"""Keys where users are on several machines: proposed while other loads go on, made sure of when it is a load's turn."""

from __future__ import annotations

from typing import Literal, LiteralString

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from pgaudience.database import Connection
from pgaudience.loading.keys import LOCK, stage_texts

Kind = Literal["users", "entries"]

_CREATE = "create temporary table {proposed} (key bigint, text text) on commit drop"

# Users are asked for where they are, by a join that brings back no others.
_KNOWN: dict[Kind, LiteralString] = {
    "users": """
create temporary table known_texts on commit drop as
select u.user_key as key, u.user_id as text
from users u
join (select distinct t.text from normal_texts t) t on t.text = u.user_id
""",
    "entries": """
create temporary table known_texts on commit drop as
select e.entry_key as key, e.entry as text
from entries e
where text_hash(e.entry) in (select t.hash from normal_texts t)
""",
}

# Drawn in the order of a space on one machine, so that the same rows have the same keys.
_PROPOSE = """
insert into {proposed} (key, text)
select nextval((select pg_get_serial_sequence({table}, {key})::regclass)), n.text
from (
    select t.text
    from normal_texts t
    where not exists (select from known_texts k where k.text = t.text)
        and not exists (select from {proposed} p where p.text = t.text)
    group by t.text, t.hash
    order by {order}
) n
"""

_FIND = """
select array_agg(k.key order by t.number)
from normal_texts t
join (
    select k.key, k.text from known_texts k
    union all
    select p.key, p.text from {proposed} p
) k on k.text = t.text
"""

_STAGE_PROPOSED = """
create temporary table normal_texts on commit drop as
select p.text, text_hash(p.text) as hash
from {proposed} p
"""

_MOVE = """
create temporary table moved_keys on commit drop as
select p.key as former, k.key
from {proposed} p
join known_texts k on k.text = p.text
"""

_FORGET_MOVED = "delete from {proposed} p where p.key in (select m.former from moved_keys m)"

# A row whose user has another key belongs to another machine, or may.
_CORRECT: dict[Kind, tuple[LiteralString, ...]] = {
    "users": (
        """
insert into staged_activity (user_key, entry_key, frequency, first_at, last_at)
select m.key, s.entry_key, s.frequency, s.first_at, s.last_at
from staged_activity s
join (select m.former, m.key from moved_keys m) m on m.former = s.user_key
""",
        "delete from staged_activity s where s.user_key in (select m.former from moved_keys m)",
    ),
    "entries": (
        """
update staged_activity s
set entry_key = m.key
from (select m.former, m.key from moved_keys m) m
where m.former = s.entry_key
""",
    ),
}

_INSERT = """
insert into {relation} ({column}, {text}) overriding system value
select p.key, p.text
from {proposed} p
order by p.key
"""


class ProposedKeys:
    """The keys of one kind of texts, by the number that the load has given each text.

    Until `settle`, a text that is new has a key that nobody else will have, and is not in the space: so other loads
    wait for none of it, and may find it new, too. From then on, new texts are inserted as they come.
    """

    def __init__(self, connection: Connection, kind: Kind) -> None:
        self._connection = connection
        self._kind: Kind = kind
        key, text = ("user_key", "user_id") if kind == "users" else ("entry_key", "entry")
        self._names = {
            "proposed": sql.Identifier(f"proposed_{kind}"),
            "relation": sql.Identifier(kind),
            "table": sql.Literal(kind),
            "key": sql.Literal(key),
            "column": sql.Identifier(key),
            "text": sql.Identifier(text),
            "order": sql.Identifier("text" if kind == "users" else "hash"),
        }
        self._is_settled = False
        self.by_number: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self.inserted = 0
        self._execute(_CREATE)

    def extend(self, texts: list[str]) -> None:
        """Find or propose the keys of the texts that have the next numbers."""
        if not texts:
            return
        connection = self._connection
        stage_texts(connection, texts)
        connection.execute(_KNOWN[self._kind])
        self._execute(_PROPOSE)
        statement = sql.SQL(_FIND).format(**self._names)
        (keys,) = connection.cursor(binary=True).execute(statement).fetchone() or ([],)
        connection.execute("drop table staged_texts, normal_texts, known_texts")
        self.by_number = np.concatenate([self.by_number, np.array(keys, dtype=np.int64)])
        if self._is_settled:
            self._insert()

    def settle(self) -> None:
        """Insert what is new, under the lock of loads; what another load has made meanwhile has the key from there."""
        connection = self._connection
        connection.execute(LOCK)
        self._is_settled = True
        if not self.by_number.size:
            return
        self._execute(_STAGE_PROPOSED)
        connection.execute("analyze normal_texts")
        connection.execute(_KNOWN[self._kind])
        if self._execute(_MOVE):
            for statement in _CORRECT[self._kind]:
                connection.execute(statement)
            self._execute(_FORGET_MOVED)
            self._correct_numbers()
        connection.execute("drop table normal_texts, known_texts, moved_keys")
        self._insert()

    def _correct_numbers(self) -> None:
        moved = self._connection.execute("select m.former, m.key from moved_keys m order by m.former").fetchall()
        former, keys = np.array(moved, dtype=np.int64).T
        places = np.minimum(np.searchsorted(former, self.by_number), len(former) - 1)
        self.by_number = np.where(former[places] == self.by_number, keys[places], self.by_number)

    def _insert(self) -> None:
        self.inserted += self._execute(_INSERT)
        self._execute("delete from {proposed}")

    def _execute(self, statement: LiteralString) -> int:
        return self._connection.execute(sql.SQL(statement).format(**self._names)).rowcount
