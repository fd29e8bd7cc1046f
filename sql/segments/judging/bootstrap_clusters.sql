-- The clusters of points by k-means of a bootstrap sample of them: how much they vary says how stable clusters are.
create function bootstrap_clusters(
    points vector[],
    k bigint,
    seed bigint default 0
)
returns bigint[]
language plpgsql
volatile
parallel unsafe
set search_path from current
as $$
declare
    _count constant bigint := cardinality(bootstrap_clusters.points);
    _drawn vector[];
    _centroids vector[];
begin
    select array_agg(p.point order by d.number) into _drawn
    from (
        select n as number, 1 + floor(random_fraction(bootstrap_clusters.seed, n) * _count)::bigint as place
        from generate_series(1, _count) n
    ) d
    join unnest(bootstrap_clusters.points) with ordinality p (point, place) using (place);

    select f.fitted into _centroids
    from fit_sample(_drawn, bootstrap_clusters.k, seed => bootstrap_clusters.seed) f;

    return nearest_clusters(bootstrap_clusters.points, _centroids);
end
$$;

comment on function bootstrap_clusters(vector[], bigint, bigint) is
'Internal. The cluster, 1 to k, of each of the points, by k-means of as many drawn from them with replacement; another
draw for every seed.
Example: select bootstrap_clusters(embeddings, 2) from sample_users(10);';
