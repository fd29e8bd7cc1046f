"""How far each reader of an audience's changes has come."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
create table audience_cursors (
    audience text not null references audiences on update cascade on delete cascade,
    cursor text not null
        constraint cursor_has_a_name check (cursor ~ '\\S'),
    started_at_change bigint not null,
    change_id bigint,
    moved_at timestamptz not null default now(),
    primary key (audience, cursor)
)""")
    op.execute("""
comment on table audience_cursors is
'How far those who keep a copy of an audience have read its changes: read_changes goes on from here.
Example: select audience, cursor, change_id, moved_at from audience_cursors;'""")
    op.execute("comment on column audience_cursors.audience is 'The audience.'")
    op.execute("comment on column audience_cursors.cursor is 'Who reads, by any name.'")
    op.execute(
        "comment on column audience_cursors.started_at_change is 'The last change there was when it was opened.'"
    )
    op.execute(
        "comment on column audience_cursors.change_id is 'The last change that was confirmed; null before that.'"
    )
    op.execute("comment on column audience_cursors.moved_at is 'When it was opened, or last moved.'")
