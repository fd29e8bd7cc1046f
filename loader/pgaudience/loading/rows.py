"""The texts of rows, made in SQL as those of entries are."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pgaudience.database import Connection
from pgaudience.reading import RowTemplate

_PARTS = "select template_parts(%s)"

_FILL = """
select array_agg(coalesce(normalize_text(fill_template(%s, null, r.row::jsonb)), '') order by r.place)
from unnest(%s::text[]) with ordinality r (row, place)
"""


def row_template(connection: Connection, template: str) -> RowTemplate:
    """Return the template, to be filled on this connection.

    Raises psycopg.errors.InvalidParameterValue, with a hint, where it is none.
    """
    (parts,) = connection.execute(_PARTS, [template]).fetchone() or ([],)

    def fill(rows: Sequence[dict[str, str | None]]) -> list[str]:
        (texts,) = connection.execute(_FILL, [parts, [json.dumps(row) for row in rows]]).fetchone() or ([],)
        return texts

    return RowTemplate([part[1:] for part in parts if part.startswith("k")], fill)
