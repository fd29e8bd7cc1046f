"""Reading input: any source of (user, entry, frequency or time, attributes) rows, as clean columnar chunks.

    with Rejects(Path("rejects.csv")) as rejects, open_source("events.csv.gz", format=None, columns=Columns(),
                                                              rejects=rejects) as source:
        for chunk in source.chunks():
            ...
    print(rejects.account())

Rows go one way: a table (CSV, JSON, Parquet, a query) yields batches of raw values, column by column; `clean` turns a
batch into a chunk and hands the rows it left out to `Rejects`. Every row is either in a chunk or in the rejects.
"""

from pgaudience.reading.cleaning import Chunk
from pgaudience.reading.coded import Coded
from pgaudience.reading.columns import Columns
from pgaudience.reading.described import Attributes, Described, read_entries, read_users
from pgaudience.reading.formats import FORMATS
from pgaudience.reading.period import Period
from pgaudience.reading.rejects import Account, Reject, Rejects
from pgaudience.reading.rows import RowTemplate
from pgaudience.reading.sequences import SequenceTemplate
from pgaudience.reading.source import Source, open_query, open_source
from pgaudience.reading.times import NO_TIME
from pgaudience.reading.vectors import Vectors, read_vectors

__all__ = [
    "FORMATS",
    "NO_TIME",
    "Account",
    "Attributes",
    "Chunk",
    "Coded",
    "Columns",
    "Described",
    "Period",
    "Reject",
    "Rejects",
    "RowTemplate",
    "SequenceTemplate",
    "Source",
    "Vectors",
    "open_query",
    "open_source",
    "read_entries",
    "read_users",
    "read_vectors",
]
