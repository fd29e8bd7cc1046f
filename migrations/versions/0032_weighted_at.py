"""A refresh of tables leaves space.weighted_at as it is for a while."""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
comment on column space.weighted_at is
'The now of half_life: when a refresh() last began; in a space of tables, one that computed everything.'""")
