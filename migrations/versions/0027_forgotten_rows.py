"""How many rows that arrive name somebody who was forgotten; scores of members that a person can read."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table forgotten_users add column rows_left_out bigint not null default 0")
    op.execute(
        "comment on column forgotten_users.rows_left_out is"
        " 'Rows that have come by activity_input or a load since, and were left out.'"
    )
    op.execute("""
comment on table forgotten_users is 'Who was forgotten, as hashes of their ids: nothing that is loaded, put into
activity_input or read from a source brings them back.
Example: select count(*) as forgotten, sum(rows_left_out) as rows from forgotten_users;'""")

    op.execute("""
alter table audience_members
    add column percentile double precision,
    add column times double precision""")
    op.execute("""
comment on column audience_members.percentile is
'The share, 0 to 100, of those who could be in it that come after the member; null where nothing ranks.'""")
    op.execute("""
comment on column audience_members.times is
'How many times the evidence of an average user speaks for the member; null but for a search with evidence.'""")
