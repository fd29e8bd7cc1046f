-- The silhouettes of a sample of the users of a run.
create function run_silhouettes(
    run_id bigint,
    sample_size bigint default 1000
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
set enable_nestloop = off
as $$
#variable_conflict use_column
declare
    _average constant vector := (
        select r.average from segmentation_runs r where r.run_id = run_silhouettes.run_id
    );
    _user_keys bigint[];
    _segment_ids bigint[];
    _embeddings vector[];
begin
    perform check_sample(run_silhouettes.sample_size);

    select
        array_agg(s.user_key order by s.user_key),
        array_agg(s.segment_id order by s.user_key),
        array_agg(center_vector(v.embedding, _average) order by s.user_key)
    into _user_keys, _segment_ids, _embeddings
    from (
        select a.user_key, a.segment_id
        from segment_assignments a
        where a.run_id = run_silhouettes.run_id
        order by hashint8extended(a.user_key, 0), a.user_key
        limit run_silhouettes.sample_size
    ) s
    join user_vectors v using (user_key);

    return query
    select m.user_key, m.segment_id, m.silhouette
    from judge_clusters(_embeddings, _segment_ids) j
    cross join unnest(_user_keys, _segment_ids, j.silhouettes) m (user_key, segment_id, silhouette);
end
$$;

comment on function run_silhouettes(bigint, bigint) is
'Internal. The silhouettes (-1 to 1, Euclidean, exact) of a random sample of the users of a run, always the same,
published or not; null if all are in one segment.
Example: select * from run_silhouettes(published_run(''interests''), sample_size => 100) order by silhouette limit 10;';
