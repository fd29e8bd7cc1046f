"""Load a CSV file into a space, against a bare COPY of the same bytes into a table without keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from measuring import Comparison, Contender, alternate
from serving import Connection, empty, serving, settle
from shopping import write_csv

from pgaudience.loading.load import load
from pgaudience.loading.merge import Mode
from pgaudience.reading import Columns, Rejects, open_source

ROWS, SMALL_ROWS = 1_000_000, 50_000
TARGET, TARGET_AGAIN = 4.0, 5.0
BLOCK_BYTES = 1 << 20

BARE, LOAD, AGAIN, ADD = "bare COPY", "load", "the same load again", "load --mode add"


def run(*, small: bool) -> dict[str, Any]:
    """Time a first load, the same load again, which changes nothing, and one that adds to every pair."""
    with serving() as server, server.connect() as connection, server.connect() as bare:
        file = server.folder / "shopping.csv"
        data = write_csv(file, SMALL_ROWS if small else ROWS)
        bare.execute("create table public.bare (user_id text, entry text, frequency double precision)")
        bare.commit()
        times = alternate(
            Contender(BARE, lambda: copy_file(bare, "public.bare", file), lambda: empty_bare(bare)),
            Contender(LOAD, lambda: load_file(connection, file, "replace"), lambda: empty(connection)),
            Contender(AGAIN, lambda: load_file(connection, file, "replace"), lambda: settle(connection)),
            Contender(ADD, lambda: load_file(connection, file, "add"), lambda: settle(connection)),
            cpu=server.cpu_clock(),
        )
        pairs = connection.execute("select count(*), sum(frequency) from activity").fetchone()
        raw = bare.execute("select 2 * sum(frequency) from public.bare").fetchone()
        assert pairs and raw and pairs[1] == raw[0], "what was loaded is not what is in the file"
    comparisons = [Comparison(LOAD, BARE, TARGET), Comparison(AGAIN, BARE, TARGET_AGAIN), Comparison(ADD, BARE)]
    return {"data": data | {"distinct_pairs": pairs[0]}, **times.report(comparisons)}


def load_file(connection: Connection, file: Path, mode: Mode) -> None:
    """Load a file, whether or not it was loaded before."""
    with Rejects() as rejects, open_source(file, format=None, columns=Columns(), rejects=rejects) as source:
        load(connection, [source], mode=mode, force=True)


def copy_file(connection: Connection, relation: str, file: Path) -> None:
    """Copy a file into a relation, in a transaction of its own."""
    statement = f"copy {relation} (user_id, entry, frequency) from stdin (format csv, header)"
    with connection.transaction(), connection.cursor().copy(statement.encode()) as copy, file.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            copy.write(block)


def empty_bare(connection: Connection) -> None:
    """Empty the table of the bare COPY, and have the disk written."""
    connection.execute("truncate public.bare")
    connection.commit()
    settle(connection)
