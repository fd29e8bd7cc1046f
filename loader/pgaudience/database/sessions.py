"""Other sessions of the server, in words for whoever waits for them."""

from __future__ import annotations

from collections.abc import Collection

from pgaudience.database.transactions import Connection

# Of sessions of other roles, a role without pg_read_all_stats sees the process, the role and the application.
_DESCRIBED = """
select a.pid, format(
    'process %%s (%%s)', a.pid, concat_ws(
        ', ',
        coalesce(nullif(a.application_name, ''), 'an unnamed application'),
        'role ' || coalesce(a.usename, '?'),
        case when a.state like 'idle in transaction%%' then 'idle in a transaction' end,
        'since ' || to_char(coalesce(a.query_start, a.xact_start), 'HH24:MI:SS')
    )
)
from pg_stat_activity a
where a.pid = any (%s)
order by a.pid
"""


def describe_sessions(connection: Connection, pids: Collection[int]) -> dict[int, str]:
    """Return, by process, who each of these sessions is, where it still is there."""
    return dict(connection.execute(_DESCRIBED, [list(pids)]).fetchall())


def ending(pids: Collection[int]) -> str:
    """Return the statements that end these sessions."""
    return " ".join(f"select pg_terminate_backend({pid});" for pid in pids)
