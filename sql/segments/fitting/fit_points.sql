-- k-means by Lloyd's algorithm, of points that are at hand.
--
-- To sum up vectors costs half of what their distances do, and few change their cluster in a round: the sums of the
-- clusters are kept, and only those who come and leave are added and taken away.
create function fit_points(
    centroids vector[],
    points vector[],
    max_iterations bigint default 50,
    tolerance double precision default 1e-4,
    out fitted vector[],
    out sizes bigint[],
    out inertia double precision,
    out iterations bigint
)
language plpgsql
immutable
parallel safe
set search_path from current
set jit = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
    _k constant integer := cardinality(fit_points.centroids);
    _count constant bigint := cardinality(fit_points.points);
    _nearest constant text := nearest_centroids('select unnest($3) as embedding', _k);
    _round constant text := format('select array_agg(c.cluster), sum(c.nearest) from (%s) c', _nearest);
    _farthest constant text := format(
        'select array_agg(f.embedding order by f.nearest desc, f.embedding)
        from (
            select c.embedding, c.nearest
            from (%s) c
            order by c.nearest desc, c.embedding
            limit $4
        ) f',
        _nearest
    );
    _clusters integer[];
    _former integer[];
    _totals vector[] := array_fill(null::vector, array[_k]);
    _means vector[];
    _mean vector;
    _half_squares double precision;
    _replacements vector[];
    _moved double precision;
    _converged boolean := false;
begin
    fitted := fit_points.centroids;
    sizes := array_fill(0::bigint, array[_k]);
    iterations := 0;

    loop
        execute _round into _clusters, _half_squares using fitted, half_squares(fitted), fit_points.points;

        inertia := _count + 2 * _half_squares;

        with moves as materialized (
            select m.cluster, m.former, sum(m.point) as total, count(*) as points
            from (
                select unnest(fit_points.points) as point, unnest(_clusters) as cluster, unnest(_former) as former
            ) m
            where m.cluster is distinct from m.former
            group by m.cluster, m.former
        ),
        comers as (
            select m.cluster, sum(m.total order by m.former) as total, sum(m.points)::bigint as points
            from moves m
            group by m.cluster
        ),
        leavers as (
            select m.former as cluster, sum(m.total order by m.cluster) as total, sum(m.points)::bigint as points
            from moves m
            group by m.former
        ),
        sums as (
            select
                s.cluster,
                case when l.cluster is null then t.total else t.total - l.total end as total,
                s.points + coalesce(c.points, 0) - coalesce(l.points, 0) as points
            from unnest(_totals, sizes) with ordinality s (total, points, cluster)
            left join comers c using (cluster)
            left join leavers l using (cluster)
            cross join lateral (select coalesce(s.total + c.total, s.total, c.total) as total) t
        )
        select
            array_agg(case when s.points > 0 then s.total end order by s.cluster),
            array_agg(s.points order by s.cluster)
        into _totals, sizes
        from sums s;

        exit when _converged or iterations = fit_points.max_iterations;

        select
            array_agg(scale(t.total, 1.0 / t.points) order by t.cluster),
            scale(sum(t.total order by t.cluster), 1.0 / _count)
        into _means, _mean
        from unnest(_totals, sizes) with ordinality t (total, points, cluster);

        if 0 = any (sizes) then
            execute _farthest into _replacements
            using fitted, half_squares(fitted), fit_points.points, cardinality(array_positions(sizes, 0));

            select array_agg(coalesce(m.mean, _replacements[m.empty], fitted[m.cluster]) order by m.cluster) into _means
            from (
                select u.cluster, u.mean, count(*) filter (where u.mean is null) over (order by u.cluster) as empty
                from unnest(_means) with ordinality u (mean, cluster)
            ) m;
        end if;

        select sum((o <-> n) ^ 2) into _moved
        from unnest(fitted, _means) u (o, n);

        _converged := _moved <= fit_points.tolerance * (1 + (_mean <#> _mean)) / vector_dims(_mean);
        fitted := _means;
        _former := _clusters;
        iterations := iterations + 1;
    end loop;
end
$$;

comment on function fit_points(vector[], vector[], bigint, double precision) is
'Internal. k-means of some unit vectors from the centroids given: the fitted centroids, how many vectors each has, the
inertia (sum of squared Euclidean distances), and the rounds it took. It ends, and fills a centroid that loses all its
vectors, as fit_centroids does.
Example: select inertia from sample_users(10), fit_points(seed_centroids(embeddings, 2), points => embeddings);';
