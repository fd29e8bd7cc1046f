-- The silhouettes of a sample of the users of a run.
create function run_silhouettes(
    run_id bigint,
    sample_size bigint default 2000
)
returns table (
    user_key bigint,
    segment_id bigint,
    silhouette double precision
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
begin
    perform check_sample(run_silhouettes.sample_size);

    return query
    select m.user_key, m.segment_id, m.silhouette
    from (
        select
            array_agg(s.user_key order by s.user_key) as user_keys,
            array_agg(s.segment_id order by s.user_key) as segment_ids,
            array_agg(center_vector(v.embedding, r.average) order by s.user_key) as embeddings
        from (
            select a.user_key, a.segment_id
            from segment_assignments a
            where a.run_id = run_silhouettes.run_id
            order by hashint8extended(a.user_key, 0), a.user_key
            limit run_silhouettes.sample_size
        ) s
        join user_vectors v using (user_key)
        join segmentation_runs r on r.run_id = run_silhouettes.run_id
    ) s
    cross join judge_clusters(s.embeddings, s.segment_ids) j
    cross join unnest(s.user_keys, s.segment_ids, j.silhouettes) m (user_key, segment_id, silhouette);
end
$$;

comment on function run_silhouettes(bigint, bigint) is
'The silhouettes (-1 to 1, Euclidean, exact) of a random sample of the users of a run, always the same, published or not;
null if all are in one segment.
Example: select * from run_silhouettes(published_run(''interests''), sample_size => 100) order by silhouette limit 10;';
