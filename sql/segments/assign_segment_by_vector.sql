-- The segment of a published run that suits a vector: the nearest centroid, or, in a tree, that of the nearest leaf.
create function assign_segment(
    segmentation text,
    embedding vector
)
returns table (
    segment_id bigint,
    segment text,
    similarity double precision,
    runner_up_id bigint,
    margin double precision
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _run_id constant bigint := published_run(assign_segment.segmentation);
    _unit vector;
begin
    perform check_query(assign_segment.embedding);

    select center_vector(l2_normalize(assign_segment.embedding), r.average) into _unit
    from segmentation_runs r
    where r.run_id = _run_id;

    perform check_query(_unit);

    return query
    with leaves as (
        select t.segment_id, t.centroid
        from run_tree t
        where t.run_id = _run_id and t.height = 0
    ),
    nearest as (
        select c.segment_id, row_number() over (order by min(c.centroid <-> _unit), c.segment_id) as place
        from (
            select l.segment_id, l.centroid
            from leaves l
            where l.segment_id is not null
            union all
            select s.segment_id, s.centroid
            from run_segments s
            where s.run_id = _run_id and not exists (select from leaves)
        ) c
        group by c.segment_id
    ),
    best as (
        select n.place, n.segment_id, 1 - (s.centroid <=> _unit) as similarity
        from nearest n
        join run_segments s using (segment_id)
        where s.run_id = _run_id and n.place <= 2
    )
    select b.segment_id, s.name, b.similarity, r.segment_id, b.similarity - r.similarity
    from best b
    join segments s using (segment_id)
    left join best r on r.place = 2
    where b.place = 1 and s.segmentation = assign_segment.segmentation;
end
$$;

comment on function assign_segment(text, vector) is
'The segment that suits a vector, by the published run, without building it anew: similarity is the cosine to its
centroid, margin how much higher that is than to the runner-up. The vector counts by its direction alone, as seen from
the average user if the run is centered.
Example: select segment, similarity from assign_segment(''interests'', embed(''ski enthusiasts''));';
