"""Spaces of attributes that are arranged by an outcome: what it is, and encodings that leave out one's own."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
alter table space
    add column outcome text,
    add column outcome_value text,
    add constraint an_outcome_value_has_an_outcome check (outcome_value is null or outcome is not null)""")
    op.execute("""
comment on column space.outcome is
'Of a space of attributes: the attribute of users by which the others count, and categories are alike; null: none.
Example: update space set outcome = ''subscribed'';'""")
    op.execute("""
comment on column space.outcome_value is
'The value of the outcome that is told from all others; null where it is a number, or has two values.'""")
    op.execute("""
alter table attribute_axes
    add column fold bigint,
    drop constraint attribute_axes_attribute_value_key,
    add constraint attribute_axes_value_and_fold_key unique nulls not distinct (attribute, value, fold)""")
    op.execute("""
comment on column attribute_axes.fold is
'Of a space with an outcome: the fifth of the users for whom this holds, from whose outcomes it was not made; null for
those whose outcome is not known.'""")
