"""People who were forgotten: a load leaves them out, whatever its files still hold of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pgaudience.database import Connection
from pgaudience.errors import PgaudienceError

_USERS = "select count(*) from forgotten_users"

_AMONG = """
select array_agg(t.text)
from unnest(%s::text[]) t (text)
cross join lateral (select user_hash(t.text) as user_hash offset 0) h
join forgotten_users f using (user_hash)
"""

_COUNT = """
update forgotten_users f
set rows_left_out = f.rows_left_out + r.rows
from (
    select user_hash(t.text) as user_hash, sum(t.rows) as rows
    from unnest(%s::text[], %s::bigint[]) t (text, rows)
    group by 1
) r
where f.user_hash = r.user_hash
"""


class Forgotten:
    """Tell whose rows a load leaves out, and count them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._users = self._count_users()
        self._left_out = Counter[str]()

    @property
    def rows(self) -> int:
        """How many rows were left out."""
        return self._left_out.total()

    def others(self, users: Sequence[str]) -> list[bool] | None:
        """Tell which rows of these users stay; None where all do."""
        if not self._users:
            return None
        (found,) = self._connection.execute(_AMONG, [list(set(users))]).fetchone() or (None,)
        if not found:
            return None
        gone = set[str](found)
        self._left_out.update(user for user in users if user in gone)
        return [user not in gone for user in users]

    def check(self) -> None:
        """Raise PgaudienceError where somebody was forgotten since this load began, so that it may hold them.

        To be called under the lock of loads, for which forget_user waits, too.
        """
        if self._count_users() != self._users:
            raise PgaudienceError(
                "somebody was forgotten while this load was reading", "nothing was loaded: do it again"
            )

    def finish(self) -> None:
        """Keep what was counted."""
        if self._left_out:
            self._connection.execute(_COUNT, [list(self._left_out), list(self._left_out.values())])

    def _count_users(self) -> int:
        (count,) = self._connection.execute(_USERS).fetchone() or (0,)
        return count
