-- How well each user fits in the segment they are in.
create function member_silhouettes(
    segmentation text,
    sample_size bigint default 1000
)
returns table (
    user_id text,
    segment_id bigint,
    silhouette double precision,
    simplified_silhouette double precision
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
    _run_id constant bigint := published_run(member_silhouettes.segmentation);
    _average constant vector := (select r.average from segmentation_runs r where r.run_id = _run_id);
    _segment_ids bigint[];
    _centroids vector[];
begin
    select array_agg(s.segment_id order by s.segment_id), array_agg(s.centroid order by s.segment_id)
    into _segment_ids, _centroids
    from run_segments s
    where s.run_id = _run_id;

    return query execute format(
        'select
            d.user_id,
            d.segment_id,
            s.silhouette,
            case when cardinality($2) > 1 then d.simplified_silhouette end
        from (%s) d
        left join run_silhouettes($3, $4) s using (user_key)
        order by d.segment_id, d.user_id',
        distances_to_centroids(
            'select
                a.user_key,
                v.user_id,
                center_vector(v.embedding, $5) as embedding,
                a.segment_id,
                array_position($2, a.segment_id) as cluster
            from segment_assignments a
            join user_vectors v using (user_key)
            where a.run_id = $3',
            cardinality(_segment_ids)
        )
    )
    using _centroids, _segment_ids, _run_id, member_silhouettes.sample_size, _average;
end
$$;

comment on function member_silhouettes(text, bigint) is
'How well each user fits in their published segment, 1 best, 0 between two, -1 in the wrong one: the exact silhouette of
a random sample of users (always the same; null for the others), and the simplified one, from distances to centroids
alone, of all.
Example: select * from member_silhouettes(''interests'') order by simplified_silhouette limit 10;';
