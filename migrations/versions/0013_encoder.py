"""The weights of the model itself, where it can run in SQL."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
create table encoder (
    singleton boolean primary key default true check (singleton),
    layers integer not null check (layers > 0),
    width integer not null check (width > 0),
    dimensions integer not null check (dimensions between 1 and width),
    max_tokens integer not null check (max_tokens > 2),
    longest_word integer not null,
    longest_piece integer not null,
    first_token text not null,
    last_token text not null,
    unknown_token text not null,
    special_tokens text not null,
    pooling text not null check (pooling in ('mean', 'cls')),
    query_prompt text not null default '',
    passage_prompt text not null default '',
    source_digest text not null,
    digest text not null,
    stored_at timestamptz not null default now()
)""")
    op.execute("""
comment on table encoder is
'The model of the space as it runs in SQL, in one row: its shape, its tokenizer; no row where it cannot.
Example: select layers, dimensions, pooling, stored_at from encoder;'""")
    op.execute("comment on column encoder.singleton is 'Always true: a space has at most one row here.'")
    op.execute("comment on column encoder.layers is 'How many layers the transformer has.'")
    op.execute("comment on column encoder.width is 'The dimensions of a token inside the model.'")
    op.execute("comment on column encoder.dimensions is 'Those of a vector of the space: the first of them, if fewer.'")
    op.execute(
        "comment on column encoder.max_tokens is 'Where the model cuts a text, its first and last token included.'"
    )
    op.execute("comment on column encoder.longest_word is 'The most characters of a word that is cut into pieces.'")
    op.execute("comment on column encoder.longest_piece is 'The most characters of a token.'")
    op.execute("comment on column encoder.first_token is 'What stands before every text.'")
    op.execute("comment on column encoder.last_token is 'What stands after it.'")
    op.execute("comment on column encoder.unknown_token is 'What stands for a word without pieces.'")
    op.execute(
        "comment on column encoder.special_tokens is 'A pattern of what is a token wherever it stands in a text.'"
    )
    op.execute(
        "comment on column encoder.pooling is 'The vector of a text: the mean of its tokens, or the first one, cls.'"
    )
    op.execute("comment on column encoder.query_prompt is 'What the model wants before a text that is searched for.'")
    op.execute("comment on column encoder.passage_prompt is 'What it wants before a text that is searched in.'")
    op.execute("comment on column encoder.source_digest is 'SHA-256 of the model''s own files.'")
    op.execute("comment on column encoder.digest is 'What encoder_digest() gave when the weights came in.'")
    op.execute("comment on column encoder.stored_at is 'When that was.'")

    op.execute("""
create table encoder_characters (
    first_code integer primary key,
    last_code integer not null,
    becomes text,
    is_word boolean not null,
    check (last_code >= first_code)
)""")
    op.execute(
        "comment on table encoder_characters is 'Internal. What the tokenizer makes of characters, by code point.'"
    )
    op.execute("comment on column encoder_characters.first_code is 'The first of a range.'")
    op.execute(
        "comment on column encoder_characters.last_code is 'The last of it; what is in no range stays as it is.'"
    )
    op.execute("comment on column encoder_characters.becomes is 'What stands for each; null for the character itself.'")
    op.execute(
        "comment on column encoder_characters.is_word is 'Whether each is a word of its own, as punctuation is.'"
    )

    op.execute("""
create table encoder_tokens (
    token text collate "C" primary key,
    embedding halfvec not null
)""")
    op.execute("comment on table encoder_tokens is 'Internal. The vocabulary of the model.'")
    op.execute("comment on column encoder_tokens.token is 'A word, or, after ##, a piece of one.'")
    op.execute("comment on column encoder_tokens.embedding is 'Its vector before the first layer.'")

    op.execute("""
create table encoder_positions (
    position bigint primary key,
    embedding vector not null
)""")
    op.execute(
        "comment on table encoder_positions is 'Internal. What its place in the text adds to the vector of a token.'"
    )
    op.execute("comment on column encoder_positions.position is 'The place, from 1.'")
    op.execute("comment on column encoder_positions.embedding is 'What it adds.'")

    op.execute("""
create table encoder_norms (
    layer integer not null,
    norm text collate "C" not null check (norm in ('input', 'attention', 'output')),
    scale vector not null,
    shift vector not null,
    primary key (layer, norm)
)""")
    op.execute("comment on table encoder_norms is 'Internal. Layer norms: to unit length, times scale, plus shift.'")
    op.execute("comment on column encoder_norms.layer is 'From 1; 0 is what comes before the layers.'")
    op.execute("comment on column encoder_norms.norm is 'Of what: the input, the attention, the output of the layer.'")
    op.execute(
        "comment on column encoder_norms.scale is 'The factor of each dimension, times the root of their number.'"
    )
    op.execute("comment on column encoder_norms.shift is 'What is added to each.'")

    op.execute("""
create table encoder_weights (
    layer integer not null,
    matrix text collate "C" not null
        check (matrix in ('query', 'key', 'value', 'attention', 'wide', 'narrow')),
    head integer not null,
    unit integer not null,
    bias double precision not null,
    weights halfvec not null,
    primary key (layer, matrix, head, unit)
)""")
    op.execute("comment on table encoder_weights is 'Internal. The matrices of the model: one row a unit.'")
    op.execute("comment on column encoder_weights.layer is 'From 1.'")
    op.execute("""
comment on column encoder_weights.matrix is
'query, key, value: what attention compares and passes on; attention: what comes of it; wide, narrow: the rest.'""")
    op.execute(
        "comment on column encoder_weights.head is 'The attention head of the unit, from 0; 0 where there are none.'"
    )
    op.execute("comment on column encoder_weights.unit is 'Its number within the matrix, from 0.'")
    op.execute("comment on column encoder_weights.bias is 'What it adds.'")
    op.execute("comment on column encoder_weights.weights is 'How much of each input it takes.'")

    op.execute("""
create table encoder_tests (
    text text collate "C" primary key,
    embedding vector not null
)""")
    op.execute(
        "comment on table encoder_tests is 'Internal. Some texts with the vectors that the model itself gave them.'"
    )
    op.execute("comment on column encoder_tests.text is 'The text, as it is searched for.'")
    op.execute("comment on column encoder_tests.embedding is 'Its vector, of unit length.'")

    for table, columns in (
        ("encoder_tokens", ("embedding",)),
        ("encoder_positions", ("embedding",)),
        ("encoder_norms", ("scale", "shift")),
        ("encoder_weights", ("weights",)),
    ):
        for column in columns:
            op.execute(f"alter table {table} alter column {column} set storage plain")
