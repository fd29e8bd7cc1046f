"""What two spaces over the same people need to exchange their models: the same shape, segments to be renumbered."""

from alembic import context, op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("run_entries", "run_attributes"):
        key = f"{table}_run_id_segment_id_fkey"
        op.execute(f"""
alter table {table}
    drop constraint {key},
    add constraint {key}
        foreign key (run_id, segment_id) references run_segments on update cascade on delete cascade""")
    if context.config.attributes["base"] is None:
        op.execute("""
alter table given_user_vectors
    add constraint given_user_vectors_user_key_fkey foreign key (user_key) references users on delete cascade""")
