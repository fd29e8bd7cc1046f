-- k-means of all users, from centroids that are given or found in a sample.
--
-- A round over all users costs a scan of their vectors. Where they are more than twice what a sample needs, k-means
-- converges on the first few of it, goes on with all of it, and ends with two rounds over all: the sum of squares is
-- then within a thousandth of what many rounds over all would give. The means of a few users differ from those of all
-- by chance: squared and summed over k clusters, by about k² / few of the variance. Their rounds end when the centroids
-- move by a fiftieth of that.
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
    _starting_size constant bigint := 20000;
    _enough_a_segment constant bigint := 1000;
    _least_a_segment constant bigint := 400;
    _rounds_of_sample constant bigint := 10;
    _rounds_after_sample constant bigint := 2;
    _of_chance constant double precision := 0.02;
    _p record;
    _start vector[] := coalesce(fit_kmeans.start, '{}');
    _given constant bigint := cardinality(_start);
    _k bigint;
    _size bigint;
    _sample vector[];
    _few vector[];
    _few_tolerance double precision;
    _sampled boolean;
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

    _k := coalesce(_p.k, nullif(_given, 0));
    if _k is null then
        select choose_k(
            s.embeddings,
            _p.k_min,
            _p.k_max,
            restarts => _p.restarts,
            max_iterations => _p.max_iterations,
            seed => _p.seed
        )
        into _k
        from sample_users(
            least(_choosing_size, _p.sample_size), _p.seed, _p.filter, fit_kmeans.leave_out, _p.centered
        ) s;
    end if;

    _size := least(_p.sample_size, _enough_a_segment * _k);
    _sampled := _p.sample_size is not null
        and _size >= _least_a_segment * _k
        and 2 * _size < count_points(_p.filter, fit_kmeans.leave_out, _p.centered);

    if _sampled or _given < _k then
        _sample := drawn_vectors(
            draw_users(
                case when _sampled then _size else coalesce(_p.sample_size, _starting_size) end,
                _p.seed,
                _p.filter,
                fit_kmeans.leave_out,
                _p.centered
            ),
            _p.seed,
            _p.centered
        );
    end if;

    _few := case when _sampled then _sample[:greatest(_least_a_segment * _k, _choosing_size)] else _sample end;
    _few_tolerance := greatest(
        _p.tolerance, case when _sampled then _of_chance * _k ^ 2 / cardinality(_few) * vector_dims(_few[1]) end
    );

    if _given = 0 then
        perform report_progress(format('fitting %s segments to a sample', _k));
        select f.fitted into _start
        from fit_sample(
            _few,
            _k,
            restarts => _p.restarts,
            max_iterations => _p.max_iterations,
            tolerance => _few_tolerance,
            seed => _p.seed
        ) f;
    elsif _given < _k then
        _start := seed_centroids(_few, _k, _p.seed, _start);
    end if;

    if cardinality(_start) < _k then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('%s segments cannot be made of users with %s distinct vectors', _k, cardinality(_start)),
            hint = format('Ask for fewer: k => %s', cardinality(_start));
    end if;

    _start := _start[:_k];

    if _sampled and not (_given >= _k and fits_sample(_start, _few)) then
        perform report_progress(format('fitting a sample of %s users', cardinality(_sample)));
        _start := (
            fit_points(_start, points => _few, max_iterations => _p.max_iterations, tolerance => _few_tolerance)
        ).fitted;
        _start := (
            fit_points(
                _start,
                points => _sample,
                max_iterations => least(_p.max_iterations, _rounds_of_sample),
                tolerance => _p.tolerance
            )
        ).fitted;
    end if;

    perform report_progress('fitting all users');
    select f.fitted, f.sizes, f.iterations into centroids, sizes, iterations
    from fit_centroids(
        _start,
        max_iterations => least(_p.max_iterations, case when _sampled then _rounds_after_sample end),
        tolerance => _p.tolerance,
        filter => _p.filter,
        leave_out => fit_kmeans.leave_out,
        centered => _p.centered,
        progress => 'fitting all users'
    ) f;
end
$$;

comment on function fit_kmeans(jsonb, vector[], bigint[]) is
'Internal. k-means of all users but those left out: their centroids, sizes, and the rounds over all that it took. It
starts from the centroids given, completed to k by k-means++, or without any from the best of several k-means of a
sample; without k it makes as many as are given, or chooses. Of many users, it converges on a sample, and has two rounds
over all, unless sample_size is null. parameters are those of segmentation_runs.
Example: select f.sizes from segmentation_runs r, fit_kmeans(r.parameters, ''{}'', ''{}'') f limit 1;';
