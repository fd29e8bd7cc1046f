"""The same rows by SQL, through activity_input, against a bare COPY of their bytes and against a load that adds."""

from __future__ import annotations

from typing import Any

from load import BARE, ROWS, SMALL_ROWS, copy_file, empty_bare, load_file
from measuring import Comparison, Contender, alternate
from serving import Connection, empty, serving, settle
from shopping import write_csv

INPUT = "activity_input"
COPY, COPY_AGAIN = "COPY into activity_input", "the same COPY again"
INSERT, INSERT_AGAIN = "INSERT … SELECT into activity_input", "the same INSERT again"
LOAD, LOAD_AGAIN = "load --mode add", "the same load again"

_EVENTS = "create table public.events (user_id text, entry text, frequency double precision)"
_BARE = "create table public.bare (like public.events)"
_INSERT = "insert into activity_input (user_id, entry, frequency) select * from public.events"


def run(*, small: bool) -> dict[str, Any]:
    """Time what arrives in an empty space, and once more when every pair is there."""
    with serving() as server, server.connect() as connection:
        file = server.folder / "shopping.csv"
        data = write_csv(file, SMALL_ROWS if small else ROWS)
        connection.execute(_EVENTS)
        connection.execute(_BARE)
        copy_file(connection, "public.events", file)
        times = alternate(
            Contender(BARE, lambda: copy_file(connection, "public.bare", file), lambda: empty_bare(connection)),
            Contender(LOAD, lambda: load_file(connection, file, "add"), lambda: empty(connection)),
            Contender(LOAD_AGAIN, lambda: load_file(connection, file, "add"), lambda: settle(connection)),
            Contender(COPY, lambda: copy_file(connection, INPUT, file), lambda: empty(connection)),
            Contender(COPY_AGAIN, lambda: copy_file(connection, INPUT, file), lambda: settle(connection)),
            Contender(INSERT, lambda: _insert(connection), lambda: empty(connection)),
            Contender(INSERT_AGAIN, lambda: _insert(connection), lambda: settle(connection)),
        )
        pairs = connection.execute("select count(*), sum(frequency) from activity").fetchone()
        raw = connection.execute("select 2 * sum(frequency) from public.events").fetchone()
        assert pairs and raw and pairs[1] == raw[0], "what has arrived is not what is in the file"
    firsts = [Comparison(of, to) for to in (BARE, LOAD) for of in (COPY, INSERT)]
    agains = [Comparison(of, to) for to in (BARE, LOAD_AGAIN) for of in (COPY_AGAIN, INSERT_AGAIN)]
    return {"data": data | {"distinct_pairs": pairs[0]}, **times.report(firsts + agains)}


def _insert(connection: Connection) -> None:
    connection.execute(_INSERT)
    connection.commit()
