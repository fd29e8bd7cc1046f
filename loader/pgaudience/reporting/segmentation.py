"""Read what a report of a segmentation says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import LiteralString

import numpy as np
from psycopg.sql import SQL, Composed
from psycopg.types.json import Json

from pgaudience.database import Connection
from pgaudience.errors import PgaudienceError
from pgaudience.reporting.figures import (
    Attribute,
    Axis,
    Candidate,
    Drawing,
    Driver,
    Entry,
    Figures,
    Flow,
    Moment,
    Run,
    Segment,
    Typical,
)
from pgaudience.reporting.snapshot import ON_EARTH, rows, snapshot

SAMPLE_SIZE = 500
"""How many users choices of k are compared by, which takes seconds."""

MOST_SEGMENTS = 20
"""Up to how many segments choices of k are compared."""

_SEGMENTATIONS = "select s.segmentation from segmentations s order by s.segmentation"

_RUN = """
select
    r.run_id,
    r.previous_run_id,
    r.method,
    r.k,
    r.users,
    r.unassigned,
    r.outliers,
    r.users_moved,
    r.silhouette,
    r.parameters -> 'filter' as filter,
    coalesce((r.parameters ->> 'centered')::boolean, true) as centered,
    r.published_at,
    p.suppress_below,
    current_schema() as space,
    s.model,
    f.stale,
    (select count(*) from run_segments x where x.run_id = r.run_id and x.users < p.suppress_below) as hidden
from segmentations p
join segmentation_runs r on r.run_id = published_run(%(segmentation)s)
cross join space s
cross join freshness f
where p.segmentation = %(segmentation)s
"""

_SEGMENTS = """
select
    s.segment_id,
    s.name,
    s.description,
    coalesce(d.keywords, s.keywords) as keywords,
    s.users,
    s.share,
    s.cohesion,
    s.silhouette,
    case when b.users >= p.suppress_below then b.users end as users_before,
    s.has_theme
from segments s
join segmentations p using (segmentation)
join segmentation_runs r on r.run_id = p.published_run_id
left join run_segments b on (b.run_id, b.segment_id) = (r.previous_run_id, s.segment_id)
left join segment_descriptions d on (d.segmentation, d.segment_id, d.rank) = (s.segmentation, s.segment_id, 1)
where s.segmentation = %(segmentation)s and s.users >= p.suppress_below
order by s.users desc, s.segment_id
"""

# Those first of which no other segment has more, so that no entry heads several cards.
_TOP_ENTRIES = """
select r.segment_id, r.segment_users, r.entry, r.users, r.share, r.overall_share, r.lift
from (
    select
        e.*,
        s.users as segment_users,
        row_number() over (partition by e.segment_id order by e.lift = e.most desc, e.z_score desc, e.entry) as place
    from (
        select e.*, max(e.lift) over (partition by e.entry) as most
        from segment_entries e
        where e.segmentation = %(segmentation)s and e.segment_id = any (%(shown)s)
    ) e
    join segments s using (segmentation, segment_id)
    where e.z_score > 0 and e.lift > 1 and (e.z_score > 2 or e.share >= 0.05)
) r
where r.place <= 6
order by r.segment_id, r.place
"""

_TYPICAL = """
select s.segment_id, x.user_id, x.top_entries
from unnest(%(shown)s::bigint[]) s (segment_id)
cross join lateral segment_examples(%(segmentation)s, s.segment_id, k => 3) x
where x.kind = 'typical'
order by s.segment_id, x.similarity desc, x.user_id
"""

_GRID = """
select g.segment_id, s.users as segment_users, g.entry, g.users, g.share, g.overall_share, g.lift
from segment_grid g
join segments s using (segmentation, segment_id)
where g.segmentation = %(segmentation)s and g.segment_id = any (%(shown)s) and g.entry = any (%(entries)s)
"""

_MAP = """
select a.method, a.axis, a.explained, a.explained_of_centres, a.top_entries, a.bottom_entries, a.trustworthiness
from map_axes a
where a.relation = 'users' and a.axis <= 2
    and (a.method = 'pca' or (a.method, a.segmentation) = ('centres', %(segmentation)s))
order by a.method = 'pca', a.axis
limit 2
"""

_MAP_POINTS = """
select coalesce(a.segment_id, -1), m.x, m.y
from user_map m
left join segment_assignments a on (a.run_id, a.user_key) = (%(run_id)s, m.user_key)
where m.method = %(method)s and (m.method = 'pca' or m.segmentation = %(segmentation)s)
    and (a.segment_id is null or a.segment_id = any (%(shown)s))
order by m.user_key
"""

_CANDIDATES = """
select k, inertia, inertia_sd, silhouette, silhouette_sd, stability, stability_sd
from compare_k(
    k_max => %(k_max)s, sample_size => %(sample_size)s, repeats => 2,
    filter => %(filter)s::jsonb, centered => %(centered)s
)
order by k
"""

_SILHOUETTES = """
select m.segment_id, m.silhouette
from member_silhouettes(%(segmentation)s) m
where m.silhouette is not null and m.segment_id = any (%(shown)s)
order by m.segment_id, m.silhouette desc
"""

_ATTRIBUTES = """
select a.segment_id, a.attribute, a.value, a.users, a.share, a.overall_share, a.lift, a.median, a.overall_median
from segment_attributes a
where a.segmentation = %(segmentation)s and a.segment_id = any (%(shown)s)
"""

_DRIVERS = """
select d.attribute, d.kind, d.users, d.strength
from segment_drivers d
where d.segmentation = %(segmentation)s
order by strength desc, d.attribute collate "C"
"""

_PLACES = SQL("""
select coalesce(a.segment_id, -1), c.longitude, c.latitude
from users u
left join segment_assignments a on (a.run_id, a.user_key) = (%(run_id)s, u.user_key)
{}
    and (a.segment_id is null or a.segment_id = any (%(shown)s))
order by u.user_key
""").format(ON_EARTH)

_HISTORY = """
select l.publication_id, l.published_at, s.run_id, s.segment_id, s.users, s.share
from segmentations p
join segmentation_runs r using (segmentation)
join segment_publications l using (run_id)
join run_segments s using (run_id)
where p.segmentation = %(segmentation)s and s.users >= p.suppress_below and s.segment_id = any (%(shown)s)
order by l.published_at, l.publication_id
"""

_PUBLICATIONS = """
select count(*)
from segment_publications l
join segmentation_runs r using (run_id)
where r.segmentation = %(segmentation)s
"""

# From the run that was published before to this one; null stands for no segment, -1 for one that is hidden or gone.
_FLOWS = """
select
    case when b.segment_id = any (%(shown)s) then b.segment_id when b.segment_id is not null then -1 end as before,
    case when a.segment_id = any (%(shown)s) then a.segment_id when a.segment_id is not null then -1 end as after,
    count(*) as users
from (select * from segment_assignments where run_id = %(previous_run_id)s) b
full join (select * from segment_assignments where run_id = %(run_id)s) a using (user_key)
group by 1, 2
"""


def read_figures(connection: Connection, segmentation: str | None) -> Figures:
    """Read all figures of the published run of a segmentation, the only one if none is named, as of one moment.

    Segments of fewer users than suppress_below appear nowhere.

    Raises PgaudienceError when there is no such segmentation, or none of its segments may be shown.
    """
    with snapshot(connection):
        name = _only_segmentation(connection) if segmentation is None else segmentation
        named: dict[str, object] = {"segmentation": name}
        (run,) = rows(connection, Run, _RUN, named)
        segments = rows(connection, Segment, _SEGMENTS, named)
        if not segments:
            raise PgaudienceError(
                f"all segments of {name!r} have fewer than {run.suppress_below:,} users, and are hidden",
                "Build fewer segments, or lower segmentations.suppress_below.",
            )
        named |= {"run_id": run.run_id, "shown": [segment.segment_id for segment in segments]}
        top_entries = rows(connection, Entry, _TOP_ENTRIES, named)
        return Figures(
            name,
            run,
            segments,
            top_entries,
            rows(connection, Entry, _GRID, named | {"entries": [each.entry for each in top_entries]}),
            rows(connection, Typical, _TYPICAL, named),
            _map(connection, named),
            _candidates(connection, run),
            SAMPLE_SIZE,
            _silhouettes(connection, named),
            [each for each in rows(connection, Attribute, _ATTRIBUTES, named) if each.users >= run.suppress_below],
            rows(connection, Driver, _DRIVERS, named),
            _drawing(connection, _PLACES, named, []),
            _count(connection, _PUBLICATIONS, named),
            rows(connection, Moment, _HISTORY, named),
            _flows(connection, run, named),
        )


def _only_segmentation(connection: Connection) -> str:
    names = [row[0] for row in connection.execute(_SEGMENTATIONS).fetchall()]
    if len(names) == 1:
        return names[0]
    if names:
        raise PgaudienceError("which segmentation?", f"Name one: pgaudience report NAME; there are {', '.join(names)}")
    raise PgaudienceError(
        "there is no segmentation yet",
        "Build one: pgaudience segment interests; or report on the data: pgaudience report --of space",
    )


def _count(connection: Connection, query: LiteralString, named: Mapping[str, object]) -> int:
    return (connection.execute(query, named).fetchone() or (0,))[0]


def _map(connection: Connection, named: Mapping[str, object]) -> Drawing | None:
    axes = rows(connection, Axis, _MAP, named)
    return _drawing(connection, _MAP_POINTS, {**named, "method": axes[0].method}, axes) if axes else None


def _drawing(
    connection: Connection, query: LiteralString | Composed, named: Mapping[str, object], axes: Sequence[Axis]
) -> Drawing | None:
    found = connection.execute(query, named).fetchall()
    if not found:
        return None
    table = np.array(found, dtype=np.float64)
    return Drawing(table[:, 0].astype(np.int64), table[:, 1:], list(axes))


def _candidates(connection: Connection, run: Run) -> list[Candidate]:
    if run.k > MOST_SEGMENTS or run.users < 4:
        return []
    arguments = {
        "k_max": min(max(8, run.k + 2), MOST_SEGMENTS),
        "filter": Json(run.filter or {}),
        "sample_size": SAMPLE_SIZE,
    }
    return rows(connection, Candidate, _CANDIDATES, {**arguments, "centered": run.centered})


def _silhouettes(connection: Connection, named: Mapping[str, object]) -> dict[int, list[float]]:
    found: dict[int, list[float]] = {}
    for segment_id, silhouette in connection.execute(_SILHOUETTES, named).fetchall():
        found.setdefault(segment_id, []).append(silhouette)
    return found


def _flows(connection: Connection, run: Run, named: Mapping[str, object]) -> list[Flow]:
    if run.previous_run_id is None:
        return []
    flows = rows(connection, Flow, _FLOWS, {**named, "previous_run_id": run.previous_run_id})
    return [flow for flow in flows if flow.users >= run.suppress_below]
