"""Maps of categories: multiple correspondence analysis of users' attributes."""

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

COMMENTS = {
    "table map_categories": "Where the categories of users'' attributes lie on a map by multiple correspondence"
    " analysis; a user lies at their mean, stretched by the root of the inertia of each axis.\n"
    "Example: select count(*) as categories from map_categories;",
    "column map_categories.map_id": "The map.",
    "column map_categories.attribute": "The attribute.",
    "column map_categories.value": "Its value.",
    "column map_categories.users": "How many users had it then.",
    "column map_categories.x": "The place along the first axis, a principal coordinate.",
    "column map_categories.y": "The place along the second axis.",
    "column map_categories.z": "The place along the third axis; null on a map of two dimensions.",
    "column maps.method": "pca: the axes along which they differ most. centres: the plane in which the centres of the"
    " segments of a segmentation lie farthest apart. tsne: neighbours beside each other."
    " mca: categories of attributes.",
    "column maps.inertia": "Of mca: the inertia along each axis, an eigenvalue.",
    "column maps.explained": "Of mca: its share of all inertia, 0 to 1, which is low by nature.",
    "column maps.explained_adjusted": "Of mca: the share after the adjustment of Benzécri (1979), which leaves out what"
    " categories have by being categories; null with one attribute.",
}


def upgrade() -> None:
    op.execute("""
alter table maps
    drop constraint maps_method_check,
    add constraint maps_method_check check (method in ('pca', 'centres', 'tsne', 'mca')),
    add column inertia double precision[],
    add column explained double precision[],
    add column explained_adjusted double precision[]""")
    op.execute("""
create table map_categories (
    map_id bigint not null references maps on delete cascade,
    attribute text not null,
    value text not null,
    users bigint not null,
    x double precision not null,
    y double precision not null,
    z double precision,
    primary key (map_id, attribute, value)
)""")
    for what, text in COMMENTS.items():
        op.execute(f"comment on {what} is '{text}'")
