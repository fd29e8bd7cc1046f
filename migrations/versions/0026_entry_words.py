"""Entries in the words of a chat model: what was said of each, by which model, and what it cost."""

from alembic import context, op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

COMMENTS = {
    "table entry_descriptions": "What chat models said of entries, the origin of their attributes ai_description and"
    " ai_tags: see pgaudience enrich.\n"
    "Example: select count(*), sum(prompt_tokens) as sent, sum(completion_tokens) from entry_descriptions;",
    "column entry_descriptions.entry_key": "The entry.",
    "column entry_descriptions.model": "The model that was asked.",
    "column entry_descriptions.prompt_hash": "The hash of what is asked of every entry.",
    "column entry_descriptions.text_hash": "The hash of the text that was sent: of another one, it is asked again.",
    "column entry_descriptions.description": "What it is, in at most 150 characters.",
    "column entry_descriptions.tags": "Words for its kind, use and occasion, five at most.",
    "column entry_descriptions.fault": "Why the answer cannot be used; null if it can.",
    "column entry_descriptions.prompt_tokens": "Its part of the tokens that were paid for the prompts.",
    "column entry_descriptions.completion_tokens": "Its part of those of the answers.",
    "column entry_descriptions.answered_at": "When.",
}


def upgrade() -> None:
    base = context.config.attributes["base"]
    entries = "entries" if base is None else f"{base}.entries"
    op.execute(f"""
create table entry_descriptions (
    entry_key bigint not null references {entries} on delete cascade,
    model text not null,
    prompt_hash uuid not null,
    text_hash uuid not null,
    description text,
    tags text[],
    fault text,
    prompt_tokens bigint not null,
    completion_tokens bigint not null,
    answered_at timestamptz not null default clock_timestamp(),
    primary key (entry_key, model, prompt_hash),
    check ((fault is null) = (description is not null and tags is not null))
)""")
    for what, text in COMMENTS.items():
        op.execute(f"comment on {what} is '{text}'")
