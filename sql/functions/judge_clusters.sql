-- How good clusters of points are, by the measures and in the definitions of scikit-learn.
--
-- A cluster is a vector of ones and zeros, so the mean distance of a point to it is one inner product with the point's
-- row of distances.
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
    _rows constant vector[] := coalesce(judge_clusters.distances, distance_rows(judge_clusters.points));
    _count constant bigint := cardinality(judge_clusters.points);
    _sizes bigint[];
    _centroids vector[];
    _spreads double precision[];
    _center vector;
    _within double precision;
    _between double precision;
begin
    if cardinality(judge_clusters.clusters) <> _count or cardinality(_rows) <> _count then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = 'points, clusters and distances are arrays of the same length';
    end if;

    select array_agg(c.size order by c.cluster), array_agg(c.centroid order by c.cluster),
        scale(sum(c.total), 1.0 / sum(c.size))
    into _sizes, _centroids, _center
    from (
        select m.cluster, count(*) as size, scale(sum(m.point), 1.0 / count(*)) as centroid, sum(m.point) as total
        from unnest(judge_clusters.points, judge_clusters.clusters) m (point, cluster)
        group by m.cluster
    ) c;

    if _sizes is null or cardinality(_sizes) < 2 then
        return;
    end if;

    with members as (
        select m.place, m.point, m.distances, dense_rank() over (order by m.cluster) as cluster
        from unnest(judge_clusters.points, judge_clusters.clusters, _rows) with ordinality
            m (point, cluster, distances, place)
    ),
    clusters as materialized (
        select c.cluster, c.size, c.centroid, (
            select array_agg((m.cluster = l.label)::integer)
            from (select unnest(judge_clusters.clusters) as cluster) m
        )::vector as members
        from (
            select row_number() over (order by u.label) as cluster, u.label
            from (select distinct unnest(judge_clusters.clusters) as label) u
        ) l
        join unnest(_sizes, _centroids) with ordinality c (size, centroid, cluster) using (cluster)
    ),
    pairs as (
        select
            m.place,
            m.cluster,
            m.cluster = c.cluster as own,
            -(m.distances <#> c.members) / nullif(c.size - (m.cluster = c.cluster)::integer, 0) as mean_distance,
            m.point <-> c.centroid as to_centroid
        from members m
        cross join clusters c
    ),
    judged as (
        select
            p.place,
            p.cluster,
            max(p.mean_distance) filter (where p.own) as own,
            min(p.mean_distance) filter (where not p.own) as other,
            max(p.to_centroid) filter (where p.own) as own_centroid,
            min(p.to_centroid) filter (where not p.own) as other_centroid
        from pairs p
        group by p.place, p.cluster
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
    into silhouette, simplified_silhouette, silhouettes, _within, _spreads
    from scored s;

    select avg(w.worst) into davies_bouldin
    from (
        select coalesce(max((a.spread + b.spread) / nullif(a.centroid <-> b.centroid, 0)), 0) as worst
        from unnest(_spreads, _centroids) with ordinality a (spread, centroid, cluster)
        join unnest(_spreads, _centroids) with ordinality b (spread, centroid, cluster) on b.cluster <> a.cluster
        group by a.cluster
    ) w;

    select sum(c.size * (c.centroid <-> _center) ^ 2) into _between
    from unnest(_sizes, _centroids) c (size, centroid);

    calinski_harabasz := coalesce(
        _between / nullif(_within, 0) * (_count - cardinality(_sizes)) / (cardinality(_sizes) - 1), 1
    );
end
$$;

comment on function judge_clusters(vector[], bigint[], vector[]) is
'How well clusters, a number for each point, are separated: mean silhouette, the simplified one (from distances to
centroids alone), Davies-Bouldin, Calinski-Harabasz, and the silhouette of every point, 0 where it is alone in its
cluster. All are Euclidean and null unless there are two clusters; silhouettes are by other distances if
distance_rows of them are given, which also saves computing them again.
Example: select silhouette from judge_clusters(array[''[0,1]'', ''[0,2]'', ''[9,9]'']::vector[], array[1, 1, 2]);';
