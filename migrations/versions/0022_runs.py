"""What call run() has done, step by step, and who is not to come back."""

from collections.abc import Mapping

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def comment(table: str, text: str, columns: Mapping[str, str]) -> None:
    """Comment a table and its columns."""
    op.execute(f"comment on table {table} is {quoted(text)}")
    for column, meaning in columns.items():
        op.execute(f"comment on column {table}.{column} is {quoted(meaning)}")


def quoted(text: str) -> str:
    """Return a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def upgrade() -> None:
    op.execute("""
create table runs (
    run_id bigint not null,
    step text not null,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    seconds double precision generated always as (extract(epoch from finished_at - started_at)) stored,
    counts jsonb,
    fault text,
    run_by text not null default current_user,
    primary key (run_id, step)
)""")
    comment(
        "runs",
        "What call run() has done, a row a step.\n"
        "Example: select step, seconds, counts, fault from runs order by run_id desc, started_at limit 10;",
        {
            "run_id": "The run.",
            "step": "sync, embed, refresh, segmentation and its name, or audiences.",
            "started_at": "When it began.",
            "finished_at": "When it was done; null while it is at it, or if it was stopped.",
            "seconds": "How long it took.",
            "counts": "What it did, or found nothing to do.",
            "fault": "Why it could not be done; the steps after it were done all the same.",
            "run_by": "The database role that ran it.",
        },
    )

    op.execute("alter table space add column salt text not null default gen_random_uuid()::text")
    op.execute(
        "comment on column space.salt is 'What is put before a user id to make the hash by which it is forgotten.'"
    )
    op.execute("""
create table forgotten_users (
    user_hash bytea primary key,
    forgotten_at timestamptz not null default now()
)""")
    comment(
        "forgotten_users",
        "Who was forgotten, as hashes of their ids: no source brings them back.\n"
        "Example: select count(*) as forgotten from forgotten_users;",
        {"user_hash": "SHA-256 of space.salt and the user id.", "forgotten_at": "When."},
    )
