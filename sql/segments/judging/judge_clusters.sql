-- How good clusters of points are, by the measures and in the definitions of scikit-learn.
--
-- A cluster is a vector of ones and zeros, so the mean distance of a point to it is one inner product with the vector
-- of the point's distances to all points.
create function judge_clusters(
    points vector[],
    clusters bigint[],
    distances vector[] default null,
    out silhouette double precision,
    out simplified_silhouette double precision,
    out davies_bouldin double precision,
    out calinski_harabasz double precision,
    out silhouettes double precision[]
)
language plpgsql
immutable
parallel safe
set search_path from current
set jit = off
as $$
declare
    _count constant bigint := coalesce(cardinality(judge_clusters.points), 0);
    _labels bigint[];
    _sizes bigint[];
    _centroids vector[];
    _spreads double precision[];
    _inertia double precision;
begin
    perform check_sample(_count);

    if cardinality(judge_clusters.clusters) <> _count or cardinality(judge_clusters.distances) <> _count then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = 'points, clusters and distances are arrays of the same length';
    end if;

    select array_agg(c.label order by c.label), array_agg(c.size order by c.label),
        array_agg(c.centroid order by c.label)
    into _labels, _sizes, _centroids
    from (
        select m.label, count(*) as size, scale(sum(m.point), 1.0 / count(*)) as centroid
        from unnest(judge_clusters.points, judge_clusters.clusters) m (point, label)
        group by m.label
    ) c;

    if _sizes is null or cardinality(_sizes) < 2 then
        return;
    end if;

    -- 'offset 0' keeps the planner from computing the distances of a point again for every cluster.
    with members as (
        select
            m.place,
            m.point,
            array_position(_labels, m.label) as cluster,
            case
                when judge_clusters.distances is null then (
                    select array_agg(m.point <-> o.point)
                    from (select unnest(judge_clusters.points) as point) o
                )::vector
                else m.distances
            end as distances
        from unnest(judge_clusters.points, judge_clusters.clusters, judge_clusters.distances) with ordinality
            m (point, label, distances, place)
        offset 0
    ),
    clusters as materialized (
        select c.cluster, c.size, c.centroid, (
            select array_agg((m.label = c.label)::integer)
            from (select unnest(judge_clusters.clusters) as label) m
        )::vector as members
        from unnest(_labels, _sizes, _centroids) with ordinality c (label, size, centroid, cluster)
    ),
    judged as (
        select m.place, m.cluster, d.*
        from members m
        cross join lateral (
            select
                max(d.mean_distance) filter (where d.own) as own,
                min(d.mean_distance) filter (where not d.own) as other,
                max(d.to_centroid) filter (where d.own) as own_centroid,
                min(d.to_centroid) filter (where not d.own) as other_centroid
            from (
                select
                    m.cluster = c.cluster as own,
                    -(m.distances <#> c.members) / nullif(c.size - (m.cluster = c.cluster)::integer, 0)
                        as mean_distance,
                    m.point <-> c.centroid as to_centroid
                from clusters c
            ) d
        ) d
    ),
    scored as (
        select
            j.*,
            coalesce((j.other - j.own) / nullif(greatest(j.other, j.own), 0), 0) as silhouette,
            coalesce(
                (j.other_centroid - j.own_centroid) / nullif(greatest(j.other_centroid, j.own_centroid), 0), 0
            ) as simplified
        from judged j
    )
    select
        avg(s.silhouette),
        avg(s.simplified),
        array_agg(s.silhouette order by s.place),
        sum(s.own_centroid ^ 2),
        (
            select array_agg(d.spread order by d.cluster)
            from (select s.cluster, avg(s.own_centroid) as spread from scored s group by s.cluster) d
        )
    into silhouette, simplified_silhouette, silhouettes, _inertia, _spreads
    from scored s;

    select avg(d.term), min(c.calinski_harabasz) into davies_bouldin, calinski_harabasz
    from judge_centroids(_centroids, _sizes, _spreads, _inertia) c, unnest(c.davies_bouldin) d (term);
end
$$;

comment on function judge_clusters(vector[], bigint[], vector[]) is
'Internal. How well clusters, a number for each point, are separated: mean silhouette, the simplified one (from
distances to centroids alone), Davies-Bouldin, Calinski-Harabasz, and the silhouette of every point, 0 where it is
alone in its cluster. All are Euclidean and null unless there are two clusters; silhouettes are by other distances if
distance_rows of them are given, which also saves computing them again.
Example: select silhouette from judge_clusters(array[''[0,1]'', ''[0,2]'', ''[9,9]'']::vector[], array[1, 1, 2]);';
