-- k-means by Lloyd's algorithm, of all users.
--
-- Its statements are texts that are run with: $1 the centroids, $2 half_squares of them, $3 the filter, $4 the users
-- left out, and $5, where vectors far from their centroids are asked for, how many.
--
-- Every round is one scan, and so is the count of users at the end, without sums. Sums of float4 depend on their order,
-- and the same seed is to give the same segments: the pages of all users are cut into parts, which processes may share,
-- each summed by one process and in its order.
create function fit_centroids(
    centroids vector[],
    max_iterations bigint default 50,
    tolerance double precision default 1e-4,
    filter jsonb default '{}',
    leave_out bigint[] default '{}',
    progress text default null,
    centered boolean default true,
    out fitted vector[],
    out sizes bigint[],
    out inertia double precision,
    out iterations bigint
)
language plpgsql
volatile
parallel unsafe
set search_path from current
set jit = off
set synchronize_seqscans = off
set parallel_setup_cost = 0
as $$
declare
    _worth_sharing constant bigint := 8 * 1024 * 1024;
    _k constant bigint := cardinality(fit_centroids.centroids);
    _parts constant bigint := case
        when pg_relation_size(to_regclass(user_vector_relation(fit_centroids.centered))) < _worth_sharing then 1
        else 8
    end;
    _sums constant text := format(
        'select
            p.cluster,
            sum(p.total order by p.part) as total,
            sum(p.points) as points,
            sum(p.nearest order by p.part) as nearest
        from (
            select c.part, c.cluster, sum(c.embedding) as total, count(*) as points, sum(c.nearest) as nearest
            from (%s) c
            group by c.part, c.cluster
        ) p
        group by p.cluster',
        nearest_centroids(segmentation_points(_parts, fit_centroids.centered), _k)
    );
    _round constant text := format(
        'select
            array_agg(t.cluster order by t.cluster),
            array_agg(scale(t.total, 1.0 / t.points) order by t.cluster),
            scale(sum(t.total order by t.cluster), 1.0 / sum(t.points))
        from (%s) t',
        _sums
    );
    _sizes constant text := format(
        'select
            array_agg(coalesce(t.points, 0)::bigint order by c),
            sum(t.points) + 2 * sum(t.nearest order by t.cluster)
        from generate_series(1, $5) c
        left join (%s) t on t.cluster = c',
        _sums
    );
    _farthest constant text := format(
        'select array_agg(f.embedding order by f.nearest desc, f.embedding)
        from (
            select c.embedding, c.nearest
            from (%s) c
            order by c.nearest desc, c.embedding
            limit $5
        ) f',
        nearest_centroids(segmentation_points(centered => fit_centroids.centered), _k)
    );
    _clusters bigint[];
    _means vector[];
    _replacements vector[];
    _mean vector;
    _moved double precision;
    _converged boolean := false;
begin
    fitted := fit_centroids.centroids;
    iterations := 0;

    loop
        exit when _converged or iterations = fit_centroids.max_iterations;

        execute _round into _clusters, _means, _mean
        using fitted, half_squares(fitted), fit_centroids.filter, fit_centroids.leave_out;

        if cardinality(_clusters) < _k then
            execute _farthest into _replacements
            using fitted, half_squares(fitted), fit_centroids.filter, fit_centroids.leave_out,
                _k - cardinality(_clusters);

            select array_agg(coalesce(m.mean, _replacements[e.number], fitted[c.cluster]) order by c.cluster)
            into _means
            from generate_series(1, _k) c (cluster)
            left join unnest(_clusters, _means) m (cluster, mean) using (cluster)
            left join (
                select e.cluster, row_number() over (order by e.cluster) as number
                from generate_series(1, _k) e (cluster)
                where e.cluster <> all (_clusters)
            ) e using (cluster);
        end if;

        select sum((o <-> n) ^ 2) into _moved
        from unnest(fitted, _means) u (o, n);

        _converged := _moved <= fit_centroids.tolerance * (1 + (_mean <#> _mean)) / vector_dims(_mean);
        fitted := _means;
        iterations := iterations + 1;

        if fit_centroids.progress is not null then
            perform report_progress(
                format('%s: round %s of at most %s', fit_centroids.progress, iterations, fit_centroids.max_iterations),
                silent => true
            );
        end if;
    end loop;

    execute _sizes into sizes, inertia
    using fitted, half_squares(fitted), fit_centroids.filter, fit_centroids.leave_out, _k;
end
$$;

comment on function fit_centroids(vector[], bigint, double precision, jsonb, bigint[], text, boolean) is
'Internal. k-means of all users of a filter, from the centroids given: the fitted centroids, how many vectors each has,
the inertia (sum of squared Euclidean distances), and the rounds it took. A centroid that loses all its users moves to
the vector farthest from its own centroid. It stops when the centroids move, squared and summed, by less than tolerance
times the mean variance of a dimension, as scikit-learn does; its rounds are reported under the name progress, if there
is one.
Example: select inertia from sample_users(10), fit_centroids(seed_centroids(embeddings, 2));';
