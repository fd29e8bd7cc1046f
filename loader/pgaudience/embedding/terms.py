"""Embed the entries of a space of tfidf, whose model is its token table."""

from __future__ import annotations

import psycopg

from pgaudience.database import Connection, Space, check_model
from pgaudience.embedding.embed import Embedded
from pgaudience.errors import PgaudienceError


def embed_by_terms(connection: Connection, space: Space) -> Embedded:
    """Give the entries that wait the vectors of their words, in one transaction of SQL.

    Raises PgaudienceError when entries wait and the space was never trained, ModelChanged when it was swapped.
    """
    try:
        with connection.transaction():
            check_model(connection, space.model, space.dimensions)
            (stored,) = connection.execute("select embed_by_terms()").fetchone() or (0,)
    except psycopg.errors.ObjectNotInPrerequisiteState as error:
        raise PgaudienceError(error.diag.message_primary or "", error.diag.message_hint) from error
    return Embedded(stored=stored, seen=stored)
