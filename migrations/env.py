"""Alembic environment: runs inside the one transaction that `pgaudience migrate` has opened.

The connection and the facts of the space arrive in `config.attributes`; there is no offline mode, because a
migration of a space is always part of that transaction.
"""

from alembic import context

attributes = context.config.attributes
if "connection" not in attributes:
    raise SystemExit("Migrations run through `pgaudience migrate`, which opens the transaction they need.")

context.configure(
    connection=attributes["connection"],
    version_table_schema=attributes["schema"],
    transaction_per_migration=False,
)
context.run_migrations()
