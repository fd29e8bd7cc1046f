"""When each run was shown to readers: every time, so that a roll-back does not rewrite history."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
create table segment_publications (
    publication_id bigint generated always as identity primary key,
    run_id bigint not null references segmentation_runs on delete cascade,
    published_at timestamptz not null
)""")
    op.execute("create index segment_publications_run on segment_publications (run_id)")
    op.execute("""
insert into segment_publications (run_id, published_at)
select r.run_id, r.published_at
from segmentation_runs r
where r.published_at is not null
order by r.published_at""")
    op.execute("""
comment on table segment_publications is
'Every time a run was shown to readers by publish_run; a run that was rolled back to is here twice.
Example: select run_id, published_at from segment_publications order by published_at;'""")
    op.execute("comment on column segment_publications.publication_id is 'Its number, ascending.'")
    op.execute("comment on column segment_publications.run_id is 'The run.'")
    op.execute("""
comment on column segment_publications.published_at is
'When it was published, or as of when, if publish_run was told so.'""")
