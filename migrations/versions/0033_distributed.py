"""Spaces on a cluster of Citus, whose users are distributed over its machines: what is on each of these for that."""

from alembic import context, op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

PLAIN_STORAGE_DIMENSIONS = 2000


def upgrade() -> None:
    op.execute("alter table space add column distributed boolean not null default false")
    op.execute("""
comment on column space.distributed is
'Whether users, and what is of each of them, are distributed over the machines of Citus: see pgaudience migrate
--distributed.'""")

    # entry_vectors and space have triggers, which a reference table cannot have.
    dimensions = int(context.config.attributes["dimensions"])
    op.execute(f"""
create table reference_vectors (
    entry_key bigint primary key,
    embedding vector({dimensions}) not null
)""")
    if dimensions <= PLAIN_STORAGE_DIMENSIONS:
        op.execute("alter table reference_vectors alter column embedding set storage plain")
    op.execute("""
comment on table reference_vectors is
'Internal. In a distributed space, the copy of entry_vectors that every machine has, as of the last refresh.
Example: select count(*) from reference_vectors;'""")
    op.execute("comment on column reference_vectors.entry_key is 'The entry.'")
    op.execute("comment on column reference_vectors.embedding is 'Its vector.'")

    op.execute("""
create table reference_policies (
    weighting text primary key,
    half_life interval,
    weighted_at timestamptz not null
)""")
    op.execute("""
comment on table reference_policies is
'Internal. In a distributed space, the policies that every machine computes user vectors by, in one row, as of the last
refresh.
Example: select count(*) from reference_policies;'""")
    op.execute("comment on column reference_policies.weighting is 'That of the space.'")
    op.execute("comment on column reference_policies.half_life is 'That of the space.'")
    op.execute("comment on column reference_policies.weighted_at is 'When the last refresh began.'")
