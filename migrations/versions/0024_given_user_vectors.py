"""Spaces of vectors made elsewhere: those of users."""

from alembic import context, op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

PLAIN_STORAGE_DIMENSIONS = 2000


def upgrade() -> None:
    attributes = context.config.attributes
    dimensions = int(attributes["dimensions"])
    base = attributes["base"]
    users = "" if base is None else f"references {base}.users on delete cascade"
    op.execute(f"""
create table given_user_vectors (
    user_key bigint primary key {users},
    embedding vector({dimensions}) not null,
    given_at timestamptz not null default now()
)""")
    if dimensions <= PLAIN_STORAGE_DIMENSIONS:
        op.execute("alter table given_user_vectors alter column embedding set storage plain")
    op.execute("""
comment on table given_user_vectors is
'Of a space of vectors made elsewhere: those of users, which stand for what would be made of their entries.
Example: select count(*) from given_user_vectors;'""")
    op.execute("comment on column given_user_vectors.user_key is 'The user.'")
    op.execute("comment on column given_user_vectors.embedding is 'The vector, of unit length.'")
    op.execute("comment on column given_user_vectors.given_at is 'When it was loaded.'")
