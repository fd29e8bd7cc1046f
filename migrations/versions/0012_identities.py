"""Rows that replication can name: a key for every table that had none."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

KEYS = {"changes": "change_key", "run_attributes": "attribute_key", "segment_lineage": "event_key"}


def upgrade() -> None:
    for table, key in KEYS.items():
        op.execute(f"alter table {table} add column {key} bigint generated always as identity primary key")
        op.execute(f"comment on column {table}.{key} is 'Key used inside the space.'")

    # A key would be a column that COPY expects.
    op.execute("alter table activity_input replica identity full")
