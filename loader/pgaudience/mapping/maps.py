"""Make a map, in place of the former one of its kind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pgvector import Vector
from pgvector.psycopg import register_vector

from pgaudience.database import Connection, Space
from pgaudience.errors import PgaudienceError
from pgaudience.mapping.axes import keep_axes, plane_of, principal_axes, share_along
from pgaudience.mapping.categories import fit_categories
from pgaudience.mapping.places import arrange_all
from pgaudience.mapping.points import Points, read_points
from pgaudience.mapping.trust import NEIGHBOURS, trustworthiness

Matrix = NDArray[np.float64]
Row = NDArray[np.float64]

LEAST_POINTS = 3

_LOCK = "select pg_advisory_xact_lock(lock_key('map'))"
_AVERAGE = "select a.embedding from average_user a"
_SEGMENTATIONS = "select s.segmentation from segmentations s order by s.segmentation"
_RUN = "select r.run_id, r.average from segmentation_runs r where r.run_id = published_run(%s)"
_CENTRES = "select s.centroid from run_segments s where s.run_id = %s order by s.segment_id"
_FORMER = """
select v.direction
from maps m
join map_vectors v using (map_id)
where (m.relation, m.method) = (%s, %s) and m.segmentation is not distinct from %s
order by v.axis
"""
_STORE_MAP = """
insert into maps (relation, method, segmentation, average, points, trustworthiness, sample_size, neighbours)
values (%s, %s, %s, %s, %s, %s, %s, %s)
on conflict (relation, method, segmentation) do update
set average = excluded.average, points = excluded.points, trustworthiness = excluded.trustworthiness,
    sample_size = excluded.sample_size, neighbours = excluded.neighbours, fitted_at = excluded.fitted_at
returning map_id
"""
_FORGET_AXES = "delete from map_vectors where map_id = %s"
_STORE_AXIS = """
insert into map_vectors (
    map_id, axis, direction, origin, explained, explained_of_centres, top_entries, bottom_entries
)
select
    %(map_id)s, %(axis)s, %(direction)s, %(origin)s, %(explained)s, %(explained_of_centres)s,
    coalesce(array_agg(r.entry order by r.place) filter (where r.place <= r.shown), '{}'),
    coalesce(array_agg(r.entry order by r.place desc) filter (where r.place > r.entries - r.shown), '{}')
from (
    select
        e.entry,
        row_number() over (order by v.embedding <#> %(direction)s, e.entry collate "C") as place,
        count(*) over () as entries,
        least(5, count(*) over () / 2) as shown
    from (
        select s.entry_key
        from entry_stats s
        order by s.users desc, s.entry_key
        limit 1000
    ) common
    join entry_vectors v using (entry_key)
    join entries e using (entry_key)
) r
"""


@dataclass(frozen=True, slots=True)
class Map:
    """A map that was made; `kept` is the mean cosine of its axes to those of the former one, if there was one."""

    map_id: int
    trustworthiness: float
    sample_size: int
    neighbours: int
    kept: float | None


@dataclass(frozen=True, slots=True)
class _Foundation:
    """From whom what is drawn is seen, and the centres that the plane goes through, if it goes through any."""

    average: Row | None
    centres: Matrix | None


def make_map(
    connection: Connection, space: Space, relation: str, method: str, segmentation: str | None, dimensions: int
) -> Map:
    """Fit the axes of a map of `users` or `entries`, in one transaction, and say how far it can be trusted.

    `pca` are the axes of greatest variance; `centres` the plane of the centres of a segmentation, the only one if none
    is named. A map that is made anew is turned onto the former one, so that its axes still mean the same. `tsne` has no
    axes: it puts neighbours beside each other, and starts from where they were. `mca` draws users by the categories of
    their attributes, whatever the vectors are.

    Raises PgaudienceError, with nothing changed, when there is too little to draw.
    """
    register_vector(connection)
    with connection.transaction():
        connection.execute(_LOCK)
        if method == "mca":
            return _map_categories(connection, relation, dimensions)
        if method == "centres" and segmentation is None:
            segmentation = _only_segmentation(connection)
        foundation = _foundation(connection, relation, segmentation)
        if method == "tsne":
            return _arrange(connection, space, relation, foundation.average, dimensions)
        points = read_points(connection, relation, space.dimensions, foundation.average)
        _check(points, dimensions)
        axes = (
            principal_axes(points.covariance, dimensions)
            if foundation.centres is None
            else plane_of(foundation.centres, points.covariance, dimensions)
        )
        axes, kept = _turn(connection, axes, (relation, method, segmentation))
        neighbours = min(NEIGHBOURS, (len(points.sample) - 1) // 2)
        trusted = trustworthiness(points.sample, points.sample @ axes, neighbours)
        map_id = _store_map(
            connection,
            [relation, method, segmentation],
            foundation.average,
            [points.count, trusted, len(points.sample), neighbours],
        )
        _store_axes(connection, map_id, axes, points, foundation.centres)
    return Map(map_id, trusted, len(points.sample), neighbours, kept)


def _arrange(connection: Connection, space: Space, relation: str, average: Row | None, dimensions: int) -> Map:
    if dimensions != 2:
        raise PgaudienceError("t-SNE draws in two dimensions", "Leave out --dimensions, or take --method pca.")
    arranged = arrange_all(connection, relation, space.dimensions, average)
    neighbours = min(NEIGHBOURS, (len(arranged.sample) - 1) // 2)
    trusted = trustworthiness(arranged.sample, arranged.places_of_sample, neighbours)
    judged = [len(arranged.keys), trusted, len(arranged.sample), neighbours]
    map_id = _store_map(connection, [relation, "tsne", None], average, judged)
    arranged.store(connection, map_id)
    return Map(map_id, trusted, len(arranged.sample), neighbours, None)


def _map_categories(connection: Connection, relation: str, dimensions: int) -> Map:
    if relation != "users":
        raise PgaudienceError("mca draws users by their attributes, not entries", "Leave out --of entries.")
    fitted = fit_categories(connection, dimensions)
    neighbours = min(NEIGHBOURS, (len(fitted.sample) - 1) // 2)
    if neighbours < 1:
        raise PgaudienceError(f"{fitted.count} users with attributes are too few for a map")
    trusted = trustworthiness(fitted.sample, fitted.places, neighbours)
    map_id = _store_map(
        connection, [relation, "mca", None], None, [fitted.count, trusted, len(fitted.sample), neighbours]
    )
    fitted.store(connection, map_id)
    return Map(map_id, trusted, len(fitted.sample), neighbours, None)


def _store_map(connection: Connection, kind: list[str | None], average: Row | None, judged: list[float]) -> int:
    seen_from = None if average is None else Vector(average)
    return (connection.execute(_STORE_MAP, [*kind, seen_from, *judged]).fetchone() or (0,))[0]


def _only_segmentation(connection: Connection) -> str:
    names = [row[0] for row in connection.execute(_SEGMENTATIONS).fetchall()]
    if len(names) == 1:
        return names[0]
    if names:
        raise PgaudienceError("which segmentation?", f"Name one: --segmentation NAME; there are {', '.join(names)}")
    raise PgaudienceError("there is no segmentation yet", "Build one: pgaudience segment interests")


def _foundation(connection: Connection, relation: str, segmentation: str | None) -> _Foundation:
    if segmentation is None:
        row = connection.execute(_AVERAGE).fetchone() if relation == "users" else None
        return _Foundation(_array(row[0]) if row else None, None)
    run_id, average = connection.execute(_RUN, [segmentation]).fetchone() or (0, None)
    centres = [_array(row[0]) for row in connection.execute(_CENTRES, [run_id]).fetchall()]
    return _Foundation(None if average is None else _array(average), np.array(centres))


def _check(points: Points, dimensions: int) -> None:
    if points.count < LEAST_POINTS:
        raise PgaudienceError(
            f"{points.count} {points.relation} with a vector are too few for a map",
            "Load and embed more; user vectors appear with: call refresh();",
        )
    if len(points.mean) < dimensions:
        raise PgaudienceError(f"vectors of {len(points.mean)} dimensions cannot be drawn in {dimensions}")
    if np.trace(points.covariance) < 1e-9:
        raise PgaudienceError(f"all {points.relation} lie in one place: there is nothing to draw")


def _turn(connection: Connection, axes: Matrix, kind: tuple[str, str, str | None]) -> tuple[Matrix, float | None]:
    """Turn the axes onto those of the former map of this kind, and say how well they keep to them."""
    rows = [_array(row[0]) for row in connection.execute(_FORMER, kind).fetchall()]
    if not rows:
        return axes, None
    former = np.array(rows).T
    turned = keep_axes(axes, former)
    common = min(turned.shape[1], former.shape[1])
    return turned, float(np.einsum("ij,ij->j", turned[:, :common], former[:, :common]).mean())


def _store_axes(connection: Connection, map_id: int, axes: Matrix, points: Points, centres: Matrix | None) -> None:
    connection.execute(_FORGET_AXES, [map_id])
    explained = share_along(axes, points.covariance)
    of_centres = [None] * axes.shape[1]
    if centres is not None and len(centres) > 1:
        of_centres = share_along(axes, np.cov(centres.T, bias=True)).tolist()
    for at, direction in enumerate(axes.T):
        connection.execute(
            _STORE_AXIS,
            {
                "map_id": map_id,
                "axis": at + 1,
                "direction": Vector(direction),
                "origin": float(points.mean @ direction),
                "explained": float(explained[at]),
                "explained_of_centres": of_centres[at],
            },
        )


def _array(vector: Vector) -> Row:
    return vector.to_numpy().astype(np.float64)
