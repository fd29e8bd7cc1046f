"""Segments in the words of a chat model: every answer, what it cost, and how far it agrees with the others."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

COMMENTS = {
    "table segment_descriptions": "What chat models said of segments, every answer of pgaudience describe: those"
    " ranked were compared with each other, and the one of rank 1 is the description that the view segments shows.\n"
    "Example: select count(*), sum(prompt_tokens) as sent, sum(completion_tokens) from segment_descriptions;",
    "column segment_descriptions.description_id": "Its number, ascending.",
    "column segment_descriptions.segmentation": "The segmentation.",
    "column segment_descriptions.segment_id": "The segment.",
    "column segment_descriptions.run_id": "The run that was published then; null if it is deleted.",
    "column segment_descriptions.model": "The model that was asked.",
    "column segment_descriptions.seed": "The seed, with which members were drawn and the model was asked.",
    "column segment_descriptions.prompt_hash": "The hash of the whole prompt: the same one is never paid for twice.",
    "column segment_descriptions.name": "A name of at most 25 characters.",
    "column segment_descriptions.sentence": "A sentence of at most 300 characters.",
    "column segment_descriptions.keywords": "Three keywords.",
    "column segment_descriptions.fault": "Why the answer cannot be used: refused or broken; null if it can.",
    "column segment_descriptions.prompt_tokens": "The tokens that were paid for the prompt; 0 where another segment"
    " had the answer already.",
    "column segment_descriptions.completion_tokens": "The tokens that were paid for the answer.",
    "column segment_descriptions.rank": "1 is the most central of the answers that were compared; null if it is not"
    " among them any more.",
    "column segment_descriptions.similarity": "The mean cosine of its sentence to those of the other seeds, in the"
    " model of the space; null where it was the only one.",
    "column segment_descriptions.overlap": "The mean share of keywords it has in common with the other seeds, 0 to 1:"
    " the coefficient of Jaccard.",
    "column segment_descriptions.answered_at": "When.",
    "column segment_names.model": "The chat model that chose the name; null if a person did.",
}


def upgrade() -> None:
    op.execute("""
create table segment_descriptions (
    description_id bigint generated always as identity primary key,
    segmentation text not null references segmentations on update cascade on delete cascade,
    segment_id bigint not null,
    run_id bigint references segmentation_runs on delete set null,
    model text not null,
    seed bigint not null,
    prompt_hash uuid not null,
    name text,
    sentence text,
    keywords text[],
    fault text,
    prompt_tokens bigint not null,
    completion_tokens bigint not null,
    rank bigint,
    similarity double precision,
    overlap double precision,
    answered_at timestamptz not null default clock_timestamp(),
    unique (segmentation, segment_id, model, seed, prompt_hash),
    check ((fault is null) = (name is not null and sentence is not null and keywords is not null)),
    check (rank is null or fault is null)
)""")
    op.execute("create index segment_descriptions_prompt on segment_descriptions (prompt_hash)")
    op.execute("create index segment_descriptions_run on segment_descriptions (run_id)")
    op.execute("""
create unique index segment_descriptions_best on segment_descriptions (segmentation, segment_id) where rank = 1""")
    op.execute("alter table segment_names add column model text")
    for what, text in COMMENTS.items():
        op.execute(f"comment on {what} is '{text}'")
