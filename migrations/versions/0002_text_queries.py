"""Text queries without a model at hand, workers, and an input relation for activity."""

from alembic import context, op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Half-precision vectors of up to this many dimensions fit a page, so they can stay in the row.
PLAIN_STORAGE_DIMENSIONS = 4000

# What normalize_text folds to a space.
WHITE_SPACE = r"\u0009-\u000D\u001C-\u0020\u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000"


def upgrade() -> None:
    dimensions = int(context.config.attributes["dimensions"])

    op.execute(f"""
create table tokens (
    token text collate "C" primary key,
    embedding halfvec({dimensions})
)""")
    op.execute("""
comment on table tokens is
'The token table: embed() adds up these vectors where a text has none of its own; pgaudience distill fits them.'""")
    op.execute("""
comment on column tokens.token is
'A word, a pair of words, or, after ##, a piece of a word, as tokenize() gives them.'""")
    op.execute("""
comment on column tokens.embedding is
'Its fitted vector, with the weight of the token as its length; null only inside the transaction that fits it.'""")

    op.execute(f"""
create table training_texts (
    text text collate "C" primary key,
    embedding halfvec({dimensions}) not null
)""")
    op.execute("""
comment on table training_texts is
'Words and short texts the token table is fitted to, with the vectors of the model: a refit pays only for new ones.'""")
    op.execute("comment on column training_texts.text is 'The text.'")
    op.execute("comment on column training_texts.embedding is 'Its vector, of unit length.'")

    if dimensions <= PLAIN_STORAGE_DIMENSIONS:
        for table in ("tokens", "training_texts"):
            op.execute(f"alter table {table} alter column embedding set storage plain")

    op.execute("""
alter table space
    add column distilled_at timestamptz,
    add column distilled_entries bigint""")
    op.execute("comment on column space.distilled_at is 'When the token table was fitted; null before the first time.'")
    op.execute("comment on column space.distilled_entries is 'How many entries had a vector then.'")

    op.execute("""
create table workers (
    worker_key bigint generated always as identity primary key,
    backend_pid integer not null,
    started_at timestamptz not null default now(),
    seen_at timestamptz not null default now()
)""")
    op.execute("comment on table workers is 'The processes that embed what waits in this space: one row for each.'")
    op.execute("comment on column workers.worker_key is 'Key used inside the space.'")
    op.execute("comment on column workers.backend_pid is 'The server process of its connection.'")
    op.execute("comment on column workers.started_at is 'When it came to this space.'")
    op.execute("comment on column workers.seen_at is 'Its heartbeat: when it last said that it is alive.'")

    # Always empty once a statement has ended, so there is nothing in it that a crash could lose. It refuses what a load
    # rejects; the names of the constraints are what the error says.
    op.execute(f"""
create unlogged table activity_input (
    user_id text not null
        constraint user_id_is_not_blank check (user_id ~ '[^{WHITE_SPACE}]')
        constraint user_id_is_at_most_1000_bytes check (octet_length(user_id) <= 1000),
    entry text not null
        constraint entry_is_not_blank check (entry ~ '[^{WHITE_SPACE}]')
        constraint entry_is_at_most_1_megabyte check (octet_length(entry) <= 1000000),
    frequency double precision not null default 1
        constraint "frequency_is_between_1e-15_and_1e15" check (frequency between 1e-15 and 1e15),
    occurred_at timestamptz
        constraint occurred_at_is_finite check (isfinite(occurred_at))
)""")
    op.execute("""
comment on table activity_input is
'Where activity enters by SQL: what is inserted or copied here is added to users, entries and activity.
Example: insert into activity_input values (''user_ski_only'', ''Ski Davos Switzerland'', 2, now());'""")
    op.execute("comment on column activity_input.user_id is 'The id your own systems use; not blank.'")
    op.execute("comment on column activity_input.entry is 'The text; not blank.'")
    op.execute("comment on column activity_input.frequency is 'How often, or how much; positive, 1 if left out.'")
    op.execute("comment on column activity_input.occurred_at is 'When, if known.'")
