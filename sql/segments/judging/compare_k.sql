-- How good segments are for every number of them: what elbow and silhouette charts are drawn from.
create function compare_k(
    k_min bigint default 2,
    k_max bigint default 12,
    sample_size bigint default 2000,
    repeats bigint default 3,
    filter jsonb default '{}',
    centered boolean default true
)
returns table (
    k bigint,
    inertia double precision,
    silhouette double precision,
    simplified_silhouette double precision,
    davies_bouldin double precision,
    calinski_harabasz double precision,
    stability double precision,
    inertia_sd double precision,
    silhouette_sd double precision,
    simplified_silhouette_sd double precision,
    davies_bouldin_sd double precision,
    calinski_harabasz_sd double precision,
    stability_sd double precision
)
language plpgsql
volatile
parallel unsafe
set search_path from current
as $$
#variable_conflict use_column
declare
    _sample vector[];
    _rows vector[];
    _most bigint;
begin
    perform check_sample(compare_k.sample_size);
    perform check_filter(compare_k.filter);

    if not coalesce(compare_k.k_min between 1 and compare_k.k_max and compare_k.repeats between 1 and 1000, false) then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = 'k_min is at least 1, k_max at least k_min, and repeats 1 to 1,000',
            hint = 'For example: select * from compare_k(k_min => 2, k_max => 12, repeats => 3);';
    end if;

    select s.embeddings into _sample
    from sample_users(compare_k.sample_size, filter => compare_k.filter, centered => compare_k.centered) s;

    _rows := distance_rows(_sample);

    select least(compare_k.k_max, count(*) - 1, count(distinct p.point)) into _most
    from unnest(_sample) p (point);

    if _most < compare_k.k_min then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format(
                '%s users are too few for %s segments', coalesce(cardinality(_sample), 0), compare_k.k_min
            ),
            hint = 'Take a lower k_min, a larger sample_size, or a filter that leaves more users.';
    end if;
    if _most < compare_k.k_max then
        raise notice 'k goes up to % only: there are % users', _most, cardinality(_sample);
    end if;

    for _k in compare_k.k_min .. _most loop
        perform report_progress(format('compare_k: %s of at most %s segments', _k, _most));

        return query
        select
            _k::bigint,
            avg(f.inertia),
            avg(j.silhouette),
            avg(j.simplified_silhouette),
            avg(j.davies_bouldin),
            avg(j.calinski_harabasz),
            avg(a.adjusted_rand_index),
            stddev(f.inertia),
            stddev(j.silhouette),
            stddev(j.simplified_silhouette),
            stddev(j.davies_bouldin),
            stddev(j.calinski_harabasz),
            stddev(a.adjusted_rand_index)
        from generate_series(1, compare_k.repeats) s (seed)
        cross join lateral fit_sample(_sample, _k, seed => s.seed) f
        cross join lateral judge_clusters(_sample, nearest_clusters(_sample, f.fitted), _rows) j
        cross join lateral partition_agreement(
            bootstrap_clusters(_sample, _k, 2 * s.seed),
            bootstrap_clusters(_sample, _k, 2 * s.seed + 1)
        ) a;
    end loop;
end
$$;

comment on function compare_k(bigint, bigint, bigint, bigint, jsonb, boolean) is
'How good k-means segments of a sample of users, centered or not as in build_segmentation, are for every k, as means
over the repeats, with their standard deviations in the columns _sd: inertia (look for the elbow), silhouette, exact
and simplified (-1 to 1, higher is better), Davies-Bouldin (lower is better), Calinski-Harabasz (higher is better), and
stability: the adjusted Rand index between the segments that two bootstrap samples lead to, 1 if always the same.
Example: select k, silhouette, stability from compare_k(k_max => 4, repeats => 2);';
