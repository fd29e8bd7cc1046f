-- Users far from everybody, by their distances to the nearest of several random samples of users.
--
-- The mean of those distances tells outliers apart as the distance to the k-th nearest of all users does, at a fraction
-- of its cost: Pang, Ting and Albrecht (2015), LeSiNN: Detecting Anomalies by Identifying Least Similar Nearest
-- Neighbours. All distances are computed in one target list, as in nearest_centroids.
create function find_outliers(
    fraction double precision default 0.01,
    repeats bigint default 10,
    sample_size bigint default 50,
    filter jsonb default '{}',
    centered boolean default true
)
returns table (
    rank bigint,
    user_id text,
    score double precision,
    distance double precision,
    similarity double precision,
    user_key bigint
)
language plpgsql
stable
parallel safe
set search_path from current
set jit = off
as $$
#variable_conflict use_column
declare
    _most constant bigint := 1000;
    _sampled bigint[];
    _embeddings vector[];
    _samples bigint;
    _distances text;
    _nearest text;
    _sum text;
    _sum_of_squares text;
begin
    perform check_filter(find_outliers.filter);

    if not coalesce(find_outliers.fraction between 0 and 1, false) then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = 'fraction is a share of the users, 0 to 1',
            hint = 'For example: select * from find_outliers(fraction => 0.01);';
    end if;
    if not coalesce(
        find_outliers.repeats > 1 and find_outliers.sample_size > 0
        and find_outliers.repeats <= _most / nullif(find_outliers.sample_size, 0),
        false
    ) then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('repeats is at least 2, and times sample_size it is at most %s', _most),
            hint = 'For example: select * from find_outliers(repeats => 10, sample_size => 50);';
    end if;

    select s.user_keys, s.embeddings into _sampled, _embeddings
    from sample_users(
        find_outliers.repeats * find_outliers.sample_size,
        filter => find_outliers.filter,
        centered => find_outliers.centered
    ) s;
    if _sampled is null then
        return;
    end if;

    _samples := least(find_outliers.repeats, cardinality(_sampled));

    select string_agg(format('p.embedding <-> $1[%1$s] as d%1$s', place), ', ' order by place) into _distances
    from generate_series(1, cardinality(_sampled)) place;

    select
        string_agg(format('least(%s) as m%s', n.distances, n.number), ', ' order by n.number),
        string_agg(format('n.m%s', n.number), ' + ' order by n.number),
        string_agg(format('n.m%s ^ 2', n.number), ' + ' order by n.number)
    into _nearest, _sum, _sum_of_squares
    from (
        select place % _samples as number, string_agg(format('d.d%s', place), ', ' order by place) as distances
        from generate_series(1, cardinality(_sampled)) place
        group by place % _samples
    ) n;

    -- A user of a sample is at distance 0 from it, which adds nothing to the sum and does not count.
    return query execute format(
        'with distances as materialized (
            select n.user_key, (%s) / n.samples as distance, 1 - (%s) / n.samples / 2 as similarity
            from (
                select d.user_key, nullif(%s - (d.user_key = any ($2))::integer, 0) as samples, %s
                from (
                    select p.user_key, %s
                    from (%s) p
                    offset 0
                ) d
                offset 0
            ) n
        ),
        medians as (
            select percentile_cont(0.5) within group (order by d.distance) as median, ceil(count(*) * $5) as outliers
            from distances d
        ),
        deviations as (
            select
                percentile_cont(0.5) within group (order by abs(d.distance - m.median)) as median_deviation,
                avg(abs(d.distance - m.median)) as mean_deviation
            from distances d
            cross join medians m
        )
        select
            row_number() over (order by d.distance desc, u.user_id),
            u.user_id,
            coalesce(
                (d.distance - m.median)
                / coalesce(nullif(v.median_deviation * 1.4826, 0), nullif(v.mean_deviation * 1.2533, 0)),
                0
            ) as score,
            d.distance,
            d.similarity,
            d.user_key
        from (
            select d.*
            from distances d
            order by d.distance desc nulls last, d.user_key
            limit (select m.outliers from medians m)
        ) d
        cross join medians m
        cross join deviations v
        join users u using (user_key)
        order by d.distance desc, u.user_id',
        _sum,
        _sum_of_squares,
        _samples,
        _nearest,
        _distances,
        segmentation_points(centered => find_outliers.centered)
    )
    using _embeddings, _sampled, find_outliers.filter, '{}'::bigint[], find_outliers.fraction;
end
$$;

comment on function find_outliers(double precision, bigint, bigint, jsonb, boolean) is
'The share of users who are farthest from everybody, farthest first, by vectors as seen from the average user unless
centered is false. distance is the mean Euclidean distance to the nearest user in each of several random samples
(LeSiNN: Pang, Ting and Albrecht 2015), similarity the mean cosine to them, and score how far that distance is above
its median over all users, in standard deviations estimated by the median absolute deviation: beyond 3.5 is usually
taken for an outlier (Iglewicz and Hoaglin 1993).
Example: select user_id, score, similarity from find_outliers(fraction => 0.2);';
