"""Spaces of attributes: where each value that users have lies, and the policies of a fit."""

from alembic import context, op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    dimensions = int(context.config.attributes["dimensions"])
    op.execute(f"""
create table attribute_axes (
    attribute text,
    value text,
    lowest double precision,
    highest double precision,
    power double precision,
    center double precision,
    scale double precision check (scale > 0),
    embedding vector({dimensions}) not null,
    unique nulls not distinct (attribute, value),
    check (num_nonnulls(lowest, highest, power, center, scale) in (0, 5)),
    check (value is null or scale is null),
    check (lowest <= highest)
)""")
    op.execute("alter table attribute_axes replica identity full")
    op.execute("""
comment on table attribute_axes is
'Of a space of attributes: what a value of users adds to their vector, as pgaudience train has found it. Users start
from the row without an attribute.
Example: select count(*) as values_with_an_axis from attribute_axes where attribute is not null;'""")
    for column, text in {
        "attribute": "The attribute of users; null in the one row from which all of them start.",
        "value": "Its value, where it is a category; null of numbers.",
        "lowest": "Of numbers: the least that was seen; what is less counts as this.",
        "highest": "The greatest; what is greater counts as this.",
        "power": "The exponent of the Yeo-Johnson transform, which makes them nearly normal.",
        "center": "Their mean, transformed.",
        "scale": "Their standard deviation, transformed.",
        "embedding": "What the value, or a number of one standard deviation above the mean, adds.",
    }.items():
        op.execute(f"comment on column attribute_axes.{column} is '{text}'")
    op.execute("""
alter table space
    add column attributes text[],
    add column category_weight double precision not null default 0.5
        constraint category_weight_is_positive check (category_weight > 0 and category_weight < 'infinity')""")
    op.execute("""
comment on column space.attributes is
'Of a space of attributes: those of users that count; null: all.
Example: update space set attributes = array[''age'', ''job''];'""")
    op.execute("""
comment on column space.category_weight is
'Of a space of attributes: what another category counts, where numbers one standard deviation apart count 1: the
gamma of K-prototypes.'""")
