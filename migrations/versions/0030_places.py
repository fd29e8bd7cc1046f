"""Places on maps that no axes give: those of t-SNE."""

from alembic import context, op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

COMMENTS = {
    "table {kind}_places": "Where {kinds} lie on maps that have no axes; {kind}_map has those of all maps.\n"
    "Example: select count(*) from {kind}_places where is_fitted;",
    "column {kind}_places.{kind}_key": "Which one.",
    "column {kind}_places.map_id": "The map.",
    "column {kind}_places.x": "The place from left to right.",
    "column {kind}_places.y": "The place from bottom to top.",
    "column {kind}_places.is_fitted": "Whether it is one of the sample that was arranged; the others lie between the"
    " nearest of these.",
}


def upgrade() -> None:
    base = context.config.attributes["base"]
    schema = "" if base is None else f"{base}."
    op.execute("alter table maps drop constraint maps_method_check")
    op.execute("alter table maps add constraint maps_method_check check (method in ('pca', 'centres', 'tsne'))")
    op.execute("""
comment on column maps.method is
'pca: the axes along which they differ most. centres: the plane in which the centres of the segments of a segmentation
lie farthest apart. tsne: neighbours beside each other.'""")
    for kind, kinds in (("user", "users"), ("entry", "entries")):
        op.execute(f"""
create table {kind}_places (
    {kind}_key bigint not null references {schema}{kinds} on delete cascade,
    map_id bigint not null references maps on delete cascade,
    x double precision not null,
    y double precision not null,
    is_fitted boolean not null,
    primary key ({kind}_key, map_id)
)""")
        op.execute(f"create index {kind}_places_fitted on {kind}_places (map_id) where is_fitted")
        for what, text in COMMENTS.items():
            op.execute(f"comment on {what.format(kind=kind)} is '{text.format(kind=kind, kinds=kinds)}'")
