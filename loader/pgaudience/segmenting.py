"""Build a segmentation in the database, saying how far it is."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg
from psycopg import sql

from pgaudience.database import Connection
from pgaudience.progress import stages


def build_segmentation(connection: Connection, name: str, arguments: Mapping[str, object]) -> int:
    """Call the procedure of this name with these arguments, commit, and return the run_id.

    What the server says meanwhile is shown as progress; what it warns of at the end stays on the screen.
    """
    call = sql.SQL("call build_segmentation({})").format(
        sql.SQL(", ").join(
            [
                sql.Literal(name),
                *(
                    sql.SQL("{} => {}").format(sql.Identifier(key), sql.Literal(value))
                    for key, value in arguments.items()
                ),
            ]
        )
    )
    with stages(f"Segmenting {name}") as show:

        def say(notice: psycopg.errors.Diagnostic) -> None:
            show(notice.message_primary or "")
            if notice.message_hint:
                show(notice.message_hint)

        connection.add_notice_handler(say)
        try:
            found = connection.execute(call).fetchone()
            connection.commit()
        finally:
            connection.remove_notice_handler(say)
    return found[0] if found else 0
