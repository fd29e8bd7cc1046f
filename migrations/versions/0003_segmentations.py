"""Segmentations: their runs, the segments of each run, who is in them, what sets them apart."""

from collections.abc import Mapping

from alembic import context, op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Vectors of up to this many dimensions fit a page, so they can stay in the row.
PLAIN_STORAGE_DIMENSIONS = 2000


def comment(table: str, text: str, columns: Mapping[str, str]) -> None:
    """Comment a table and its columns."""
    op.execute(f"comment on table {table} is {quoted(text)}")
    for column, meaning in columns.items():
        op.execute(f"comment on column {table}.{column} is {quoted(meaning)}")


def quoted(text: str) -> str:
    """Return a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def upgrade() -> None:
    dimensions = int(context.config.attributes["dimensions"])
    _runs()
    _segments(dimensions)
    _profiles(context.config.attributes["base"])
    _history()

    if dimensions <= PLAIN_STORAGE_DIMENSIONS:
        for table in ("run_segments", "run_tree"):
            op.execute(f"alter table {table} alter column centroid set storage plain")


def _runs() -> None:
    op.execute("""
create table segmentations (
    segmentation text primary key
        constraint segmentation_has_a_name check (segmentation ~ '\\S'),
    published_run_id bigint,
    last_segment_id bigint not null default 0,
    suppress_below bigint not null default 0 check (suppress_below >= 0),
    created_at timestamptz not null default now()
)""")
    comment(
        "segmentations",
        "The ways users are cut into segments; build_segmentation makes them.\n"
        "Example: select segmentation, published_run_id from segmentations;",
        {
            "segmentation": "Its name.",
            "published_run_id": "The run that segments, segment_members and all other views show.",
            "last_segment_id": "The highest segment_id given so far: none is ever given twice.",
            "suppress_below": "Segments of fewer users are hidden from the schema for BI tools.",
            "created_at": "When it was first built.",
        },
    )

    op.execute("""
create table segmentation_runs (
    run_id bigint generated always as identity primary key,
    segmentation text not null references segmentations on update cascade on delete cascade,
    method text not null check (method in ('kmeans', 'agglomerative')),
    k bigint not null check (k > 0),
    parameters jsonb not null,
    warm_start boolean not null,
    users bigint not null,
    unassigned bigint not null default 0,
    outliers bigint not null default 0,
    iterations bigint not null,
    inertia double precision not null,
    silhouette double precision,
    simplified_silhouette double precision,
    davies_bouldin double precision,
    calinski_harabasz double precision,
    seconds double precision,
    previous_run_id bigint references segmentation_runs on delete set null,
    users_moved bigint,
    churn double precision,
    ari_to_previous double precision,
    created_at timestamptz not null default now(),
    published_at timestamptz
)""")
    op.execute("create index segmentation_runs_segmentation on segmentation_runs (segmentation)")
    op.execute("create index segmentation_runs_previous on segmentation_runs (previous_run_id)")
    op.execute("""
alter table segmentations
    add foreign key (published_run_id) references segmentation_runs""")
    op.execute("create index segmentations_published on segmentations (published_run_id)")
    comment(
        "segmentation_runs",
        "Every time a segmentation was built, published or not; delete from it what is no longer wanted.\n"
        "Example: select run_id, k, silhouette, churn, published_at from segmentation_runs order by run_id;",
        {
            "run_id": "Its number: call publish_run(run_id) shows it to readers, or rolls back to it.",
            "segmentation": "What was built.",
            "method": "kmeans or agglomerative.",
            "k": "How many segments it has.",
            "parameters": "The arguments of build_segmentation, as a JSON object.",
            "warm_start": "Whether it started from the centroids of the published run.",
            "users": "How many users are in a segment.",
            "unassigned": "How many were left without one, because theirs was too small.",
            "outliers": "How many were left out beforehand, because they are far from everybody.",
            "iterations": "How often all users were assigned until the centroids stood still.",
            "inertia": "Sum of the squared Euclidean distances of the users to their centroids.",
            "silhouette": "Mean silhouette, -1 to 1, Euclidean, exact on a sample: how well segments are separated.",
            "simplified_silhouette": "The same from distances to centroids alone, of all users.",
            "davies_bouldin": "Davies-Bouldin index of all users; 0 or more, lower is better.",
            "calinski_harabasz": "Calinski-Harabasz index of all users; higher is better.",
            "seconds": "How long it took.",
            "previous_run_id": "The run that was published when this one was built.",
            "users_moved": "Users of both runs whose segment_id is another one now.",
            "churn": "Their share among the users of both runs, 0 to 1.",
            "ari_to_previous": "Adjusted Rand index of both runs over those users; 1 means the same segments.",
            "created_at": "When it was built.",
            "published_at": "When it was last published; null if it never was.",
        },
    )


def _segments(dimensions: int) -> None:
    op.execute(f"""
create table run_segments (
    run_id bigint not null references segmentation_runs on delete cascade,
    segment_id bigint not null,
    name text not null default '',
    keywords text[] not null default '{{}}',
    users bigint not null,
    share double precision not null,
    cohesion double precision not null,
    silhouette double precision,
    nearest_segment_id bigint,
    centroid vector({dimensions}) not null,
    primary key (run_id, segment_id)
)""")
    comment(
        "run_segments",
        "The segments of every run; the view segments shows those of the published ones.",
        {
            "run_id": "The run.",
            "segment_id": "Its number, which a segment keeps from run to run.",
            "name": "What its most distinctive entries call it; a name given by a person is in segment_names.",
            "keywords": "The words that set it apart, most distinctive first.",
            "users": "How many users are in it.",
            "share": "Their share of all users in segments, 0 to 1.",
            "cohesion": "The mean cosine of its users to its centroid, -1 to 1.",
            "silhouette": "The mean silhouette of its users in the sample, -1 to 1.",
            "nearest_segment_id": "The segment whose centroid is nearest.",
            "centroid": "The mean of the vectors of its users.",
        },
    )

    # No foreign keys here, as in activity: a trigger of sql/ removes what belongs to a run or a user that is deleted.
    op.execute("""
create table segment_assignments (
    run_id bigint not null,
    user_key bigint not null,
    segment_id bigint not null,
    similarity double precision not null,
    runner_up_id bigint,
    margin double precision,
    primary key (run_id, user_key)
)""")
    comment(
        "segment_assignments",
        "Who is in which segment, in every run; the view segment_members shows the published ones.",
        {
            "run_id": "The run.",
            "user_key": "The user.",
            "segment_id": "The segment.",
            "similarity": "The cosine of user and centroid.",
            "runner_up_id": "The segment that would be next; null if there is only one.",
            "margin": "How much higher the cosine is than that to the runner-up: near 0 on the border.",
        },
    )

    op.execute("""
create table segment_names (
    segmentation text not null references segmentations on update cascade on delete cascade,
    segment_id bigint not null,
    name text not null constraint name_is_not_blank check (name ~ '\\S'),
    named_by text not null default session_user,
    named_at timestamptz not null default now(),
    primary key (segmentation, segment_id),
    unique (segmentation, name)
)""")
    comment(
        "segment_names",
        "The names people gave to segments; they outlive every rebuild.",
        {
            "segmentation": "The segmentation.",
            "segment_id": "The segment.",
            "name": "Its name; rename_segment sets it.",
            "named_by": "The database role that named it.",
            "named_at": "When.",
        },
    )

    op.execute(f"""
create table run_tree (
    run_id bigint not null references segmentation_runs on delete cascade,
    node_id bigint not null,
    parent_id bigint,
    height double precision not null,
    users bigint not null,
    segment_id bigint,
    centroid vector({dimensions}) not null,
    primary key (run_id, node_id)
)""")
    comment(
        "run_tree",
        "The trees of agglomerative runs; the view segment_tree shows those of the published ones.",
        {
            "run_id": "The run.",
            "node_id": "The node: the leaves are small clusters of users.",
            "parent_id": "The node it was merged into; null at the root.",
            "height": "The distance at which its parts were merged; 0 at a leaf.",
            "users": "How many users are below it.",
            "segment_id": "The segment all of them are in; null above the cut.",
            "centroid": "The mean of the vectors of its users.",
        },
    )


def _profiles(base: str | None) -> None:
    entries = "entries" if base is None else f"{base}.entries"
    op.execute(f"""
create table run_entries (
    run_id bigint not null,
    segment_id bigint not null,
    entry_key bigint not null references {entries} on delete cascade,
    users bigint not null,
    share double precision not null,
    overall_share double precision not null,
    lift double precision not null,
    log_odds double precision not null,
    z_score double precision not null,
    primary key (run_id, segment_id, entry_key),
    foreign key (run_id, segment_id) references run_segments on delete cascade
)""")
    op.execute("create index run_entries_entry on run_entries (entry_key)")
    comment(
        "run_entries",
        "The entries that set the segments of every run apart; the view segment_entries shows the published ones.",
        {
            "run_id": "The run.",
            "segment_id": "The segment.",
            "entry_key": "The entry.",
            "users": "How many users of the segment have it.",
            "share": "Their share of the segment's users, 0 to 1.",
            "overall_share": "The share of all users in segments who have it, 0 to 1.",
            "lift": "How many times the overall share that is.",
            "log_odds": "Log-odds ratio of the entry's weight, in the segment to outside it, with an informative"
            " Dirichlet prior.",
            "z_score": "That in standard deviations: Monroe, Colaresi and Quinn (2008), Fightin' Words.",
        },
    )

    op.execute("""
create table run_attributes (
    run_id bigint not null,
    segment_id bigint not null,
    attribute text not null,
    value text,
    users bigint not null,
    share double precision,
    overall_share double precision,
    lift double precision,
    mean double precision,
    median double precision,
    overall_mean double precision,
    overall_median double precision,
    unique nulls not distinct (run_id, segment_id, attribute, value),
    foreign key (run_id, segment_id) references run_segments on delete cascade
)""")
    comment(
        "run_attributes",
        "The users' attributes in the segments of every run; the view segment_attributes shows the published ones.",
        {
            "run_id": "The run.",
            "segment_id": "The segment.",
            "attribute": "The key in users.attributes.",
            "value": "One of its commonest values; null where the attribute is a number.",
            "users": "Users of the segment who have this value, or any number.",
            "share": "Their share among the segment's users who have the attribute, 0 to 1.",
            "overall_share": "The same share over all segments.",
            "lift": "How many times the overall share the share is.",
            "mean": "The mean of a number in the segment.",
            "median": "Its median.",
            "overall_mean": "The mean over all segments.",
            "overall_median": "The median over all segments.",
        },
    )

    op.execute("""
create table run_drivers (
    run_id bigint not null references segmentation_runs on delete cascade,
    attribute text not null,
    kind text not null check (kind in ('number', 'category')),
    users bigint not null,
    mutual_information double precision,
    cramers_v double precision,
    eta_squared double precision,
    primary key (run_id, attribute)
)""")
    comment(
        "run_drivers",
        "How much each attribute of the users explains the segments of every run; the view segment_drivers shows the"
        " published ones.",
        {
            "run_id": "The run.",
            "attribute": "The key in users.attributes.",
            "kind": "number or category.",
            "users": "How many users in segments have it.",
            "mutual_information": "Of a category: mutual information with the segment, normalised by the mean of the"
            " entropies, 0 to 1.",
            "cramers_v": "Of a category: Cramér's V, 0 to 1.",
            "eta_squared": "Of a number: the share of its variance that lies between segments, 0 to 1.",
        },
    )


def _history() -> None:
    op.execute("""
create table segment_lineage (
    run_id bigint not null references segmentation_runs on delete cascade,
    event text not null check (event in ('kept', 'split', 'merged', 'new', 'retired')),
    previous_segment_id bigint,
    segment_id bigint,
    users bigint not null,
    similarity double precision
)""")
    op.execute("create index segment_lineage_run on segment_lineage (run_id)")
    comment(
        "segment_lineage",
        "What became of each segment from the run published before to this one.\n"
        "Example: select event, previous_segment_id, segment_id, users from segment_lineage order by run_id;",
        {
            "run_id": "The run.",
            "event": "kept: the same segment; split: it came from another that lives on; merged: it went into another;"
            " new; retired: it is gone, its users scattered.",
            "previous_segment_id": "The segment before; null for new ones.",
            "segment_id": "The segment now; null for retired ones.",
            "users": "How many users both have; of a new or retired segment, all it has.",
            "similarity": "The cosine of both centroids.",
        },
    )

    op.execute("""
create table segment_changes (
    change_id bigint generated always as identity primary key,
    segmentation text not null,
    run_id bigint not null,
    user_id text not null,
    from_segment_id bigint,
    to_segment_id bigint,
    changed_at timestamptz not null default now(),
    check (from_segment_id is distinct from to_segment_id)
)""")
    op.execute("create index segment_changes_user on segment_changes (user_id)")
    comment(
        "segment_changes",
        "Who entered and left which segment at each publish: an outbox, to be read by change_id and emptied by who"
        " reads it.\n"
        "Example: select user_id, to_segment_id from segment_changes where change_id > 0 order by change_id;",
        {
            "change_id": "Its number, ascending.",
            "segmentation": "The segmentation.",
            "run_id": "The run that was published.",
            "user_id": "The user.",
            "from_segment_id": "The segment left; null for a user who was in none.",
            "to_segment_id": "The segment entered; null for a user who is in none now.",
            "changed_at": "When the run was published.",
        },
    )
