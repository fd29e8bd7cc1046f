-- The number of the nearest centroid, for every point.
create function nearest_clusters(
    points vector[],
    centroids vector[]
)
returns bigint[]
language plpgsql
immutable
parallel safe
set search_path from current
set jit = off
as $$
declare
    _clusters bigint[];
begin
    execute format(
        'select array_agg(c.cluster::bigint order by c.place) from (%s) c',
        nearest_centroids(
            'select * from unnest($3) with ordinality u (embedding, place)',
            cardinality(nearest_clusters.centroids)
        )
    )
    into _clusters
    using nearest_clusters.centroids, half_squares(nearest_clusters.centroids), nearest_clusters.points;

    return _clusters;
end
$$;

comment on function nearest_clusters(vector[], vector[]) is
'Internal. The number, from 1, of the centroid nearest to each of the points.
Example: select nearest_clusters(array[''[0,1]'', ''[0,2]'', ''[9,9]'']::vector[], array[''[0,0]'', ''[8,8]'']::vector[]);';
