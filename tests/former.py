"""A space as a former release has left it: its tables alone, made by the migrations up to a revision."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from pgaudience.database import connect, use_schema
from pgaudience.resources import folder


def former_space(
    url: str, revision: str, *, model: str, dimensions: int, schema: str = "audience", base: str | None = None
) -> None:
    """Make the space in a database that has pgvector; one over the people of another is to get its views of them."""
    connection = connect(url)
    engine = create_engine("postgresql+psycopg://", creator=lambda: connection, poolclass=StaticPool)
    with engine.begin() as transaction:
        connection.execute(f'create schema "{schema}"'.encode())
        use_schema(connection, schema)
        config = Config()
        config.set_main_option("script_location", str(folder("migrations")))
        config.attributes.update(connection=transaction, schema=schema, dimensions=dimensions, base=base)
        command.upgrade(config, revision)
        connection.execute("insert into space (model, dimensions) values (%s, %s)", [model, dimensions])
        if base is not None:
            connection.execute("update space set base = %s", [base])
    engine.dispose()
