"""Spaces over the people of another one: the same users, entries and activity, other vectors."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table space add column base text")
    op.execute("""
comment on column space.base is
'The space whose users, entries and activity these are, here views of its tables; null if they are its own.'""")
