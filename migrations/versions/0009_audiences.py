"""Audiences that last: what they are, who is in them, who came and left."""

from collections.abc import Mapping

from alembic import op

revision = "0009"
down_revision = "0008"
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
create table audiences (
    audience text primary key
        constraint audience_has_a_name check (audience ~ '\\S'),
    definition jsonb not null
        constraint definition_is_an_object check (jsonb_typeof(definition) = 'object'),
    suppress_below bigint not null default 0 check (suppress_below >= 0),
    members bigint not null default 0,
    fault text,
    inputs jsonb,
    created_at timestamptz not null default now(),
    defined_at timestamptz not null default now(),
    refreshed_at timestamptz
)""")
    comment(
        "audiences",
        "The audiences: what each is, and how large it is; save_audience makes them.\n"
        "Example: select audience, definition, members, refreshed_at from audiences;",
        {
            "audience": "Its name.",
            "definition": "Who belongs to it, as define_audience says it; describe_audience puts it in words.",
            "suppress_below": "Fewer members than this are hidden from the schema for BI tools.",
            "members": "How many are in it.",
            "fault": "Why the last refresh could not compute who belongs to it, and left it as it was; else null.",
            "inputs": "What its members were computed from; it is stale when audience_inputs says something else now.",
            "created_at": "When it was first saved.",
            "defined_at": "When it got this definition.",
            "refreshed_at": "When its members were last computed.",
        },
    )

    # No foreign keys here: their row triggers cost several times the insert itself. Triggers of sql/ remove the members
    # of an audience that is dropped and of users that are deleted.
    op.execute("""
create table audience_members (
    audience text not null,
    user_id text not null,
    rank bigint not null,
    score double precision,
    reasons text[] not null default '{}',
    primary key (audience, user_id)
)""")
    op.execute("create index audience_members_user on audience_members (user_id)")
    comment(
        "audience_members",
        "Who is in which audience, and why.\n"
        "Example: select rank, user_id, score, reasons from audience_members where audience = 'skiers' order by rank;",
        {
            "audience": "The audience.",
            "user_id": "The user.",
            "rank": "The place among all who could be in it.",
            "score": "What ranks: the score of the search, the similarity to the group or to the segment, or the mean"
            " standing in other audiences; null where nothing ranks.",
            "reasons": "The entries that speak for it most.",
        },
    )

    op.execute("""
create table audience_changes (
    change_id bigint generated always as identity primary key,
    audience text not null,
    user_id text not null,
    change text not null check (change in ('entered', 'left')),
    why text not null check (why in ('data', 'definition', 'deleted')),
    changed_at timestamptz not null default now()
)""")
    op.execute("create index audience_changes_audience on audience_changes (audience, change_id)")
    op.execute("create index audience_changes_user on audience_changes (user_id)")
    comment(
        "audience_changes",
        "Who entered and left which audience, and why.\n"
        "Example: select user_id, change, why from audience_changes where audience = 'skiers' order by change_id;",
        {
            "change_id": "Its number; ascending, in the order in which changes become visible.",
            "audience": "The audience.",
            "user_id": "The user.",
            "change": "entered or left.",
            "why": "data: the user changed, or others did; definition: that of the audience, or of one it stands on,"
            " changed; deleted: the user was deleted.",
            "changed_at": "When.",
        },
    )

    op.execute("""
create table audience_history (
    audience text not null references audiences on update cascade on delete cascade,
    refreshed_at timestamptz not null,
    why text not null check (why in ('data', 'definition')),
    members bigint not null,
    entered bigint not null,
    departed bigint not null,
    lowest_score double precision,
    seconds double precision not null,
    primary key (audience, refreshed_at)
)""")
    comment(
        "audience_history",
        "How large the audiences were after every refresh.\n"
        "Example: select refreshed_at, members, entered, departed from audience_history where audience = 'skiers';",
        {
            "audience": "The audience.",
            "refreshed_at": "When its members were computed.",
            "why": "definition: it, or that of an audience it stands on, had changed; else data.",
            "members": "How many there were then.",
            "entered": "How many of them were new.",
            "departed": "How many had left.",
            "lowest_score": "The score of the last of them.",
            "seconds": "How long it took.",
        },
    )
