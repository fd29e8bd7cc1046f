"""Spaces whose vectors are learned from behaviour: the policies of a fit, and what the last one was of."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
alter table space
    add column smoothing double precision not null default 0.75
        constraint smoothing_is_between_0_and_1 check (smoothing between 0 and 1),
    add column shift double precision not null default 0
        constraint shift_is_between_0_and_10 check (shift between 0 and 10),
    add column trained_at timestamptz,
    add column trained_pairs bigint""")
    op.execute("""
comment on column space.smoothing is
'Of a learned space: the power of how common an entry is, when chance is reckoned; below 1, rare entries matter less.
Example: update space set smoothing = 1;'""")
    op.execute("""
comment on column space.shift is
'Of a learned space: how much more than by chance, as a logarithm, entries must go together to count.'""")
    op.execute("""
comment on column space.trained_at is
'When the vectors were last learned by pgaudience train; null before the first time.'""")
    op.execute("comment on column space.trained_pairs is 'How many pairs of user and entry there were then.'")
