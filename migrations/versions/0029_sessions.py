"""Orders and sessions: what a user had together, and whether spaces of behaviour learn from that."""

from alembic import context, op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
alter table space
    add column basket text not null default 'user'
        constraint basket_is_a_user_or_a_session check (basket in ('user', 'session'))""")
    op.execute("""
comment on column space.basket is
'Of a learned space: what goes together is what one user has, or what was in one session (load --session).
Example: update space set basket = ''session'';'""")
    if context.config.attributes["base"] is not None:
        return
    # One row a session, not one for each entry of it: a fifth of the bytes.
    op.execute("""
create table sessions (
    user_key bigint not null references users on delete cascade,
    session_id text not null,
    entry_keys bigint[] not null check (entry_keys <> '{}'),
    primary key (user_key, session_id)
)""")
    op.execute("""
comment on table sessions is
'What users had together, where a load has said so (load --session): orders, visits, baskets.
Example: select count(*), avg(cardinality(entry_keys)) from sessions;'""")
    op.execute("comment on column sessions.user_key is 'The user.'")
    op.execute(
        "comment on column sessions.session_id is 'The id your own systems use; unique among those of the user.'"
    )
    op.execute("""
comment on column sessions.entry_keys is
'The distinct entries of the session, ascending; one that was removed from entries since may still be among them.'""")
