"""Spaces that are a blend of others over the same people."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
alter table space
    add column parts text[],
    add column part_weights double precision[],
    add constraint every_part_has_a_weight check (
        (parts is null) = (part_weights is null) and cardinality(parts) = cardinality(part_weights)
    ),
    add constraint part_weights_are_positive check (
        0 < all (part_weights) and 'infinity' > all (part_weights)
    )""")
    op.execute("""
comment on column space.parts is
'Of a blend: the spaces whose entry vectors stand beside each other in its own; null of other spaces.'""")
    op.execute("""
comment on column space.part_weights is
'Of a blend: how much each part counts, as its share of the square of the length; pgaudience train applies it.'""")
