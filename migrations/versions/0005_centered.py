"""Segmentations of centred users: a run keeps the average user it was made from."""

from alembic import context, op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Vectors of up to this many dimensions fit a page, so they can stay in the row.
PLAIN_STORAGE_DIMENSIONS = 2000


def upgrade() -> None:
    dimensions = int(context.config.attributes["dimensions"])

    op.execute(f"alter table segmentation_runs add column average vector({dimensions})")
    op.execute("""
comment on column segmentation_runs.average is
'The average user that its users, and its centroids, are seen from; null if they are as they are.'""")

    if dimensions <= PLAIN_STORAGE_DIMENSIONS:
        op.execute("alter table segmentation_runs alter column average set storage plain")
