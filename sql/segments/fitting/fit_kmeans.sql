-- k-means of all users, from centroids that are given or found in a sample.
create function fit_kmeans(
    parameters jsonb,
    start vector[],
    leave_out bigint[],
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
    _p record;
    _start vector[] := coalesce(fit_kmeans.start, '{}');
    _k bigint;
    _sample vector[];
begin
    select * into _p
    from jsonb_to_record(fit_kmeans.parameters) p (
        k bigint,
        k_min bigint,
        k_max bigint,
        filter jsonb,
        centered boolean,
        restarts bigint,
        max_iterations bigint,
        tolerance double precision,
        sample_size bigint,
        seed bigint
    );

    _k := coalesce(_p.k, nullif(cardinality(_start), 0));

    if _k is null or cardinality(_start) < _k then
        select s.embeddings into _sample
        from sample_users(_p.sample_size, _p.seed, _p.filter, fit_kmeans.leave_out, _p.centered) s;
        _k := coalesce(
            _k,
            choose_k(
                _sample[:_choosing_size],
                _p.k_min,
                _p.k_max,
                restarts => _p.restarts,
                max_iterations => _p.max_iterations,
                seed => _p.seed
            )
        );
    end if;

    if cardinality(_start) = 0 then
        perform report_progress(format('fitting %s segments to a sample', _k));
        select f.fitted into _start
        from fit_sample(
            _sample,
            _k,
            restarts => _p.restarts,
            max_iterations => _p.max_iterations,
            tolerance => _p.tolerance,
            seed => _p.seed
        ) f;
    elsif cardinality(_start) < _k then
        _start := seed_centroids(_sample, _k, _p.seed, _start);
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
        max_iterations => _p.max_iterations,
        tolerance => _p.tolerance,
        filter => _p.filter,
        leave_out => fit_kmeans.leave_out,
        centered => _p.centered,
        progress => 'fitting all users'
    ) f;
end
$$;

comment on function fit_kmeans(jsonb, vector[], bigint[]) is
'Internal. k-means of all users but those left out: their centroids, sizes, and the rounds it took. It starts from the
centroids given, completed to k by k-means++, or without any from the best of several k-means of a sample; without k it
makes as many as are given, or chooses. parameters are those of segmentation_runs.
Example: select f.sizes from segmentation_runs r, fit_kmeans(r.parameters, ''{}'', ''{}'') f limit 1;';
