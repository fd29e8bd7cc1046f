-- k-means of all users, from centroids that are given or found in a sample.
create function fit_kmeans(
    k bigint,
    k_min bigint,
    k_max bigint,
    restarts bigint,
    max_iterations bigint,
    tolerance double precision,
    sample_size bigint,
    seed bigint,
    start vector[],
    filter jsonb,
    leave_out bigint[],
    centered boolean,
    out centroids vector[],
    out sizes bigint[],
    out iterations bigint
)
language plpgsql
volatile
parallel unsafe
set search_path from current
as $$
declare
    _choosing_size constant bigint := 2000;
    _k bigint := fit_kmeans.k;
    _start vector[] := fit_kmeans.start;
    _sample vector[];
begin
    if _k is null or cardinality(_start) < _k then
        select s.embeddings into _sample
        from sample_users(
            fit_kmeans.sample_size,
            fit_kmeans.seed,
            fit_kmeans.filter,
            fit_kmeans.leave_out,
            fit_kmeans.centered
        ) s;
        _k := coalesce(
            _k,
            choose_k(
                _sample[:_choosing_size],
                fit_kmeans.k_min,
                fit_kmeans.k_max,
                restarts => fit_kmeans.restarts,
                max_iterations => fit_kmeans.max_iterations,
                seed => fit_kmeans.seed
            )
        );
    end if;

    if cardinality(_start) = 0 then
        perform report_progress(format('fitting %s segments to a sample', _k));
        select f.fitted into _start
        from fit_sample(
            _sample,
            _k,
            restarts => fit_kmeans.restarts,
            max_iterations => fit_kmeans.max_iterations,
            tolerance => fit_kmeans.tolerance,
            seed => fit_kmeans.seed
        ) f;
    elsif cardinality(_start) < _k then
        _start := seed_centroids(_sample, _k, fit_kmeans.seed, _start);
    end if;

    if cardinality(_start) < _k then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('%s segments cannot be made of users with %s distinct vectors', _k, cardinality(_start)),
            hint = format('Ask for fewer: k => %s', cardinality(_start));
    end if;

    perform report_progress('fitting all users');
    select f.fitted, f.sizes, f.iterations into centroids, sizes, iterations
    from fit_centroids(
        _start[:_k],
        max_iterations => fit_kmeans.max_iterations,
        tolerance => fit_kmeans.tolerance,
        filter => fit_kmeans.filter,
        leave_out => fit_kmeans.leave_out,
        centered => fit_kmeans.centered,
        progress => 'fitting all users'
    ) f;
end
$$;

comment on function fit_kmeans(
    bigint, bigint, bigint, bigint, bigint, double precision, bigint, bigint, vector[], jsonb, bigint[],
    boolean
) is
'Internal. k-means of all users: their centroids, sizes, and the rounds it took. It starts from the centroids given,
completed to k by k-means++, or without any from the best of several k-means of a sample; without k it chooses one.
Example: select sizes from fit_kmeans(3, 2, 12, 3, 50, 1e-4, 20000, 0, ''{}'', ''{}'', ''{}'', true);';
