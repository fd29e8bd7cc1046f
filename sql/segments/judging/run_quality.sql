-- How good the segments of a run are: silhouettes by a sample, all else by all users.
create function run_quality(
    run_id bigint,
    sample_size bigint default 1000
)
returns table (
    segment_id bigint,
    users bigint,
    inertia double precision,
    cohesion double precision,
    silhouette double precision,
    simplified_silhouette double precision,
    davies_bouldin double precision,
    calinski_harabasz double precision
)
language plpgsql
stable
parallel safe
set search_path from current
set jit = off
set enable_nestloop = off
as $$
#variable_conflict use_column
declare
    _average constant vector := (
        select r.average from segmentation_runs r where r.run_id = run_quality.run_id
    );
    _segment_ids bigint[];
    _users bigint[];
    _centroids vector[];
    _inertias double precision[];
    _spreads double precision[];
    _simplified double precision[];
begin
    perform check_sample(run_quality.sample_size);

    select
        array_agg(s.segment_id order by s.segment_id),
        array_agg(s.users order by s.segment_id),
        array_agg(scale(s.total, 1.0 / s.users) order by s.segment_id)
    into _segment_ids, _users, _centroids
    from (
        select a.segment_id, count(*) as users, sum(center_vector(v.embedding, _average)) as total
        from segment_assignments a
        join user_vectors v using (user_key)
        where a.run_id = run_quality.run_id
        group by a.segment_id
    ) s;

    if _segment_ids is null then
        raise exception using
            errcode = 'no_data_found',
            message = format('there is no run %s, or nobody in it', run_quality.run_id),
            hint = 'The runs there are: select run_id, segmentation, users from segmentation_runs;';
    end if;

    execute format(
        'select
            array_agg(s.inertia order by s.cluster),
            array_agg(s.spread order by s.cluster),
            array_agg(s.simplified_silhouette order by s.cluster)
        from (
            select
                d.cluster,
                sum(d.own ^ 2) as inertia,
                avg(d.own) as spread,
                avg(d.simplified_silhouette) as simplified_silhouette
            from (%s) d
            group by d.cluster
        ) s',
        distances_to_centroids(
            'select center_vector(v.embedding, $4) as embedding, array_position($2, a.segment_id) as cluster
            from segment_assignments a
            join user_vectors v using (user_key)
            where a.run_id = $3',
            cardinality(_segment_ids)
        )
    )
    into _inertias, _spreads, _simplified
    using _centroids, _segment_ids, run_quality.run_id, _average;

    return query
    select
        s.segment_id,
        sum(s.users)::bigint,
        sum(s.inertia),
        sum(s.users * vector_norm(s.centroid)) / sum(s.users),
        sum(m.users * m.silhouette) / sum(m.users),
        case when cardinality(_segment_ids) > 1 then sum(s.users * s.simplified_silhouette) / sum(s.users) end,
        avg(s.davies_bouldin),
        case when grouping(s.segment_id) = 1 then min(c.calinski_harabasz) end
    from judge_centroids(_centroids, _users, _spreads, (select sum(i) from unnest(_inertias) i)) c
    cross join unnest(_segment_ids, _users, _centroids, _inertias, _simplified, c.davies_bouldin)
        s (segment_id, users, centroid, inertia, simplified_silhouette, davies_bouldin)
    left join (
        select m.segment_id, count(*) as users, avg(m.silhouette) as silhouette
        from run_silhouettes(run_quality.run_id, run_quality.sample_size) m
        group by m.segment_id
    ) m using (segment_id)
    group by rollup (s.segment_id)
    order by s.segment_id nulls first;
end
$$;

comment on function run_quality(bigint, bigint) is
'Internal. How good the segments of a run are, published or not, by the vectors that users have now, seen from
the average user of the run if it is centered: a row a segment, and one of all
with segment_id null. inertia is the sum of squared Euclidean distances to the centroid, cohesion the mean cosine to it;
silhouette is exact on a sample; the others are of all users, davies_bouldin of a segment being its term of the index.
Example: select segment_id, users, silhouette from run_quality(published_run(''interests''));';
