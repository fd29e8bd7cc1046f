"""How attributes of entries get into the text that is embedded."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from pgaudience.database import Connection

_TEMPLATE = "select s.entry_template from space s"
_TEXTS = """
select k.attribute
from attribute_kinds k
where k.relation = 'entries' and k.kind = 'text' and k.attribute !~ '[{}]'
order by k.attribute
"""
_TAKEN = """
select a.name
from unnest(%s::text[]) with ordinality a (name, place)
where exists (select from entries e where e.attributes ? a.name)
order by a.place
"""


def proposed_template(connection: Connection, attributes: Sequence[str] | None = None) -> str | None:
    """Return the template of the space with these attributes added, those that any entry has, quoted for a shell.

    Without names it has all that are texts, in a space that embeds none yet. None where there is nothing to add.
    """
    (template,) = connection.execute(_TEMPLATE).fetchone() or ("{entry}",)
    if attributes is None:
        attributes = [row[0] for row in connection.execute(_TEXTS).fetchall()] if template == "{entry}" else []
    there = [row[0] for row in connection.execute(_TAKEN, [list(attributes)]).fetchall()]
    connection.commit()
    missing = ["{" + name + "}" for name in there if "{" + name + "}" not in template]
    return shlex.quote(f"{template} — {', '.join(missing)}") if missing else None
