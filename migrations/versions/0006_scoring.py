"""Policies of search: how much evidence counts, how broad users may be, how fast activity fades."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
alter table space
    add column breadth double precision not null default 0.75
        constraint breadth_is_between_0_5_and_1 check (breadth between 0.5 and 1),
    add column evidence_weight double precision not null default 2
        constraint evidence_weight_is_between_0_and_100 check (evidence_weight between 0 and 100),
    add column half_life interval
        constraint half_life_is_positive check (half_life > interval '0' and isfinite(half_life)),
    add column weighted_at timestamptz""")
    op.execute("""
comment on column space.breadth is
'How much a profile of many entries weakens the evidence of one: 0.5 finds anyone showing signal, 1 mostly this.
Example: update space set breadth = 0.5; call refresh();'""")
    op.execute("""
comment on column space.evidence_weight is
'How many times the evidence counts beside the user vector, in a hybrid search.'""")
    op.execute("""
comment on column space.half_life is
'After how long activity counts half, by the last time of each pair of user and entry; null: it never fades.
Example: update space set half_life = interval ''90 days''; call refresh();'""")
    op.execute("comment on column space.weighted_at is 'The now of half_life: when refresh() last began.'")
