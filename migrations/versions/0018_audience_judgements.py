"""What people say of single members: whether they belong to the audience."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
create table audience_judgements (
    audience text not null references audiences on update cascade on delete cascade,
    user_id text not null,
    belongs boolean not null,
    judged_by text not null default session_user,
    judged_at timestamptz not null default now(),
    primary key (audience, user_id)
)""")
    op.execute("create index audience_judgements_user on audience_judgements (user_id)")
    op.execute("""
comment on table audience_judgements is
'What people have said of single users: whether they belong to an audience; audience_precision is reckoned from it.
Example: select audience, user_id, belongs, judged_by from audience_judgements;'""")
    op.execute("comment on column audience_judgements.audience is 'The audience.'")
    op.execute("comment on column audience_judgements.user_id is 'The user.'")
    op.execute("comment on column audience_judgements.belongs is 'Whether the user belongs to it.'")
    op.execute("comment on column audience_judgements.judged_by is 'The database role that said so.'")
    op.execute("comment on column audience_judgements.judged_at is 'When.'")
