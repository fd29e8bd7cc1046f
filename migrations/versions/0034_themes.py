"""Segments that nothing sets apart: known by a column, not by the first word of their name."""

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table run_segments add column has_theme boolean not null default true")
    op.execute("""
comment on column run_segments.has_theme is
'Whether anything sets it apart from all others; if not, its name is what is commonest in it.'""")
    op.execute("update run_segments set has_theme = false where starts_with(name, 'Mixed: ')")
