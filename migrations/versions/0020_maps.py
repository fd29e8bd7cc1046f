"""Maps: the axes on which users and entries are drawn, and how far a map can be trusted."""

from alembic import context, op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

COMMENTS = {
    "table maps": "The maps of users and of entries; pgaudience map makes them.\n"
    "Example: select relation, method, trustworthiness from maps;",
    "column maps.map_id": "Its number.",
    "column maps.relation": "What is drawn: users or entries.",
    "column maps.method": "pca: the axes along which they differ most. centres: the plane in which the centres of the"
    " segments of a segmentation lie farthest apart.",
    "column maps.segmentation": "Of centres: the segmentation.",
    "column maps.average": "The average user, as seen from whom all are drawn; null where they are drawn as they are.",
    "column maps.points": "How many users or entries the axes were fitted to.",
    "column maps.trustworthiness": "How many of the nearest on the map are near indeed, 0 to 1: Venna and Kaski (2001),"
    " of a sample.",
    "column maps.sample_size": "How many there were in that sample.",
    "column maps.neighbours": "How many nearest ones of each were looked at.",
    "column maps.fitted_at": "When.",
    "table map_vectors": "The axes of maps as vectors; the view map_axes says what they mean.",
    "column map_vectors.map_id": "The map.",
    "column map_vectors.axis": "1, 2, 3 for x, y, z.",
    "column map_vectors.direction": "A vector of unit length: its inner product with what is drawn is the coordinate.",
    "column map_vectors.origin": "What is subtracted from that, so that the mean is 0.",
    "column map_vectors.explained": "The share of all variance that lies along it, 0 to 1.",
    "column map_vectors.explained_of_centres": "Of centres: the share of the variance of the centres, 0 to 1.",
    "column map_vectors.top_entries": "The common entries that lie farthest up it.",
    "column map_vectors.bottom_entries": "The common entries that lie farthest down it.",
}


def upgrade() -> None:
    dimensions = int(context.config.attributes["dimensions"])
    op.execute(f"""
create table maps (
    map_id bigint generated always as identity primary key,
    relation text not null check (relation in ('users', 'entries')),
    method text not null check (method in ('pca', 'centres')),
    segmentation text references segmentations on update cascade on delete cascade,
    average vector({dimensions}),
    points bigint not null,
    trustworthiness double precision not null,
    sample_size bigint not null,
    neighbours bigint not null,
    fitted_at timestamptz not null default now(),
    unique nulls not distinct (relation, method, segmentation),
    check ((method = 'centres') = (segmentation is not null))
)""")
    op.execute("create index maps_segmentation on maps (segmentation)")
    op.execute(f"""
create table map_vectors (
    map_id bigint not null references maps on delete cascade,
    axis bigint not null check (axis between 1 and 3),
    direction vector({dimensions}) not null,
    origin double precision not null,
    explained double precision not null,
    explained_of_centres double precision,
    top_entries text[] not null,
    bottom_entries text[] not null,
    primary key (map_id, axis)
)""")
    for what, text in COMMENTS.items():
        op.execute(f"comment on {what} is '{text}'")
