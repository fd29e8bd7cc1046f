"""Sources: tables of the same database that the space keeps in step with, and what each has brought in."""

from collections.abc import Mapping

from alembic import op

revision = "0019"
down_revision = "0018"
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
create table sources (
    source text primary key
        constraint source_has_a_name check (source ~ '\\S'),
    source_key bigint not null generated always as identity unique,
    relation text not null,
    user_column text,
    entry_column text,
    entry_key_column text,
    entry_source text references sources on update cascade,
    frequency_column text,
    time_column text,
    cursor_column text,
    overlap text,
    attributes text[] not null default '{}',
    added_by text not null default current_user,
    added_at timestamptz not null default now(),
    position text,
    has_variants boolean not null default false,
    synced_at timestamptz,
    complete boolean,
    rows_read bigint,
    rows_rejected bigint,
    changes bigint,
    seconds double precision,
    fault text
)""")
    comment(
        "sources",
        "The tables, views and foreign tables that sync() keeps the space in step with; add_source makes them.\n"
        "Example: select source, relation, synced_at, rows_read, rows_rejected, changes, fault from sources;",
        {
            "source": "Its name.",
            "source_key": "Key used inside the space.",
            "relation": "The table, view or foreign table, with its schema, quoted where that is needed.",
            "user_column": "The column of the user ids; null in a source of entries.",
            "entry_column": "The column of the texts; null in a source of users, or where entry_source has them.",
            "entry_key_column": "The column that says which entry it is, whatever its text is at the moment.",
            "entry_source": "The source of entries whose keys these are.",
            "frequency_column": "The column of how often; null where each row is once.",
            "time_column": "The column of when; null where that is not known.",
            "cursor_column": "The column that grows with every row that is new or changed; null where all is compared.",
            "overlap": "How far before position a sync reads again, for rows that were committed late.",
            "attributes": "The columns that are attributes of the users, or of the entries.",
            "added_by": "The role that said so; only a role with no more rights than this one reads the source.",
            "added_at": "When.",
            "position": "The greatest value of the cursor column that was read.",
            "has_variants": "Whether a user id is written in several ways, so that all is read each time.",
            "synced_at": "When it was last read.",
            "complete": "Whether all of it was read then, or what is new by the cursor.",
            "rows_read": "How many rows that were.",
            "rows_rejected": "How many of them could not be used; source_rejects says why.",
            "changes": "How many pairs of user and entry, users or entries that changed.",
            "seconds": "How long it took.",
            "fault": "Why the last sync could not read it, and left all as it was; else null.",
        },
    )

    op.execute("""
create table source_rejects (
    source text not null references sources on update cascade on delete cascade,
    reason text not null,
    rows bigint not null check (rows > 0),
    counted_at timestamptz not null default now(),
    primary key (source, reason)
)""")
    comment(
        "source_rejects",
        "Rows of sources that could not be used, as they were last counted.\n"
        "Example: select source, reason, rows, counted_at from source_rejects;",
        {
            "source": "The source.",
            "reason": "What is wrong with the rows.",
            "rows": "How many there were when such a row was last read.",
            "counted_at": "When that was.",
        },
    )

    # No foreign keys here, as in activity: a trigger of sql/ removes what belongs to users and entries that are gone.
    op.execute("""
create table source_activity (
    user_key bigint not null,
    entry_key bigint not null,
    source_key bigint not null,
    frequency double precision not null check (frequency > 0 and frequency < 'infinity'),
    first_at timestamptz,
    last_at timestamptz,
    primary key (user_key, entry_key, source_key)
)""")
    comment(
        "source_activity",
        "How much of the activity has come from which source; the rest was loaded.\n"
        "Example: select source_key, count(*) as pairs from source_activity group by source_key;",
        {
            "user_key": "The user.",
            "entry_key": "The entry.",
            "source_key": "The source.",
            "frequency": "How often, by this source.",
            "first_at": "The first time, by this source.",
            "last_at": "The last time, by this source.",
        },
    )

    op.execute("""
create table source_entries (
    source_key bigint not null references sources (source_key) on delete cascade,
    key text not null,
    entry_key bigint not null,
    pointed_at timestamptz not null default clock_timestamp(),
    primary key (source_key, key)
)""")
    op.execute("create index source_entries_entry on source_entries (entry_key)")
    comment(
        "source_entries",
        "Which entry the keys of a source stand for.\n"
        "Example: select k.key, e.entry from source_entries k join entries e using (entry_key);",
        {
            "source_key": "The source.",
            "key": "The value of its entry_key_column.",
            "entry_key": "The entry.",
            "pointed_at": "Since when it is this one.",
        },
    )
