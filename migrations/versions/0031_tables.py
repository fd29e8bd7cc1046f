"""Spaces that keep what a refresh computes in tables, brought up to date for what has changed: the logs of that."""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
alter table space
    add column materialization text not null default 'views' check (materialization in ('views', 'tables'))""")
    op.execute("""
comment on column space.materialization is
'Whether user_vectors and what goes with it are materialized views, which a refresh computes as a whole, or tables, of
which it computes what has changed: see pgaudience migrate --materialize.'""")

    op.execute("create table changed_users (user_key bigint)")
    op.execute("alter table changed_users replica identity full")
    op.execute("""
comment on table changed_users is
'Internal. In a space of tables, who has changed since the last refresh(), which empties it.
Example: select count(distinct user_key) from changed_users;'""")
    op.execute("comment on column changed_users.user_key is 'The user; null if that may be anybody.'")

    op.execute("create table changed_vectors (entry_key bigint not null)")
    op.execute("alter table changed_vectors replica identity full")
    op.execute("""
comment on table changed_vectors is
'Internal. In a space of tables, which entries got or lost a vector since the last refresh(), which empties it.
Example: select count(distinct entry_key) from changed_vectors;'""")
    op.execute("comment on column changed_vectors.entry_key is 'The entry.'")

    op.execute("""
create table changed_entries (
    entry_key bigint not null,
    users bigint not null,
    frequency double precision not null
)""")
    op.execute("alter table changed_entries replica identity full")
    op.execute("""
comment on table changed_entries is
'Internal. In a space of tables, what is to be added to entry_stats by the next refresh(), which empties it.
Example: select count(distinct entry_key) from changed_entries;'""")
    op.execute("comment on column changed_entries.entry_key is 'The entry.'")
    op.execute("comment on column changed_entries.users is 'How many users it won, less those it lost.'")
    op.execute("comment on column changed_entries.frequency is 'By how much its frequency has grown.'")

    op.execute("create table late_users (user_key bigint primary key)")
    op.execute("""
comment on table late_users is
'Internal. In a space of tables, the users for whom late_postings stands, and entry_postings is out of date.
Example: select count(*) from late_users;'""")
    op.execute("comment on column late_users.user_key is 'The user.'")

    op.execute("""
create table late_postings (
    user_key bigint not null,
    entry_key bigint not null,
    strength real not null,
    primary key (user_key, entry_key)
)""")
    op.execute("create index late_postings_entry_key on late_postings (entry_key)")
    op.execute("""
comment on table late_postings is
'Internal. In a space of tables, what is in place of entry_postings for late_users, until these are many.
Example: select count(*) from late_postings;'""")
    op.execute("comment on column late_postings.user_key is 'The user.'")
    op.execute("comment on column late_postings.entry_key is 'The entry.'")
    op.execute("comment on column late_postings.strength is 'As in entry_postings.'")
