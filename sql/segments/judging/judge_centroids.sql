-- What the centroids of clusters tell of how good the clusters are, in the definitions of scikit-learn.
create function judge_centroids(
    centroids vector[],
    sizes bigint[],
    spreads double precision[],
    inertia double precision,
    out davies_bouldin double precision[],
    out calinski_harabasz double precision
)
language plpgsql
immutable
parallel safe
set search_path from current
set jit = off
as $$
declare
    _k constant bigint := cardinality(judge_centroids.centroids);
    _points bigint;
    _center vector;
    _between double precision;
begin
    if _k is null or _k < 2 then
        return;
    end if;

    select array_agg(w.worst order by w.cluster) into davies_bouldin
    from (
        select a.cluster, coalesce(max((a.spread + b.spread) / nullif(a.centroid <-> b.centroid, 0)), 0) as worst
        from unnest(judge_centroids.centroids, judge_centroids.spreads) with ordinality a (centroid, spread, cluster)
        join unnest(judge_centroids.centroids, judge_centroids.spreads) with ordinality b (centroid, spread, cluster)
            on b.cluster <> a.cluster
        group by a.cluster
    ) w;

    select sum(c.size), scale(sum(scale(c.centroid, c.size)), 1.0 / sum(c.size)) into _points, _center
    from unnest(judge_centroids.centroids, judge_centroids.sizes) c (centroid, size);

    select sum(c.size * (c.centroid <-> _center) ^ 2) into _between
    from unnest(judge_centroids.centroids, judge_centroids.sizes) c (centroid, size);

    calinski_harabasz := coalesce(_between / nullif(judge_centroids.inertia, 0) * (_points - _k) / (_k - 1), 1);
end
$$;

comment on function judge_centroids(vector[], bigint[], double precision[], double precision) is
'Internal. How well clusters are separated, given for each its centroid, its size and its spread (mean distance of its
points to the centroid), and the inertia of all: the terms of the Davies-Bouldin index, one a cluster, whose mean is
the index; and the Calinski-Harabasz index. Null unless there are two clusters.
Example: select * from judge_centroids(array[''[0,0]'', ''[3,4]'']::vector[], array[2, 2], array[0.5, 0.5], 1);';
