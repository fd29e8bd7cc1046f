"""Layers on top of the token table, which bring the vectors of text queries closer to the model's."""

from alembic import context, op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# As of the other vectors: what fits a page can stay in the row.
PLAIN_STORAGE_DIMENSIONS = 4000


def upgrade() -> None:
    op.execute("""
create table token_layers (
    layer smallint not null
        constraint layer_is_1_or_2 check (layer in (1, 2)),
    unit integer not null,
    weights halfvec not null,
    bias real not null,
    primary key (layer, unit)
)""")
    op.execute("""
comment on table token_layers is
'What correct_sum() adds to a sum of token vectors: two layers of units, fitted with the token table.'
""")
    op.execute("""
comment on column token_layers.layer is
'1: hidden, it sees the sum; 2: it sees the hidden units, and has one unit for each dimension.'""")
    op.execute("comment on column token_layers.unit is 'Its number within the layer, from 1.'")
    op.execute("comment on column token_layers.weights is 'How much of each input it takes.'")
    op.execute("comment on column token_layers.bias is 'What it adds to them.'")
    if int(context.config.attributes["dimensions"]) <= PLAIN_STORAGE_DIMENSIONS:
        op.execute("alter table token_layers alter column weights set storage plain")
