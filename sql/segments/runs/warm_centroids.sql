-- The centroids of a run to start the next one from, the largest segment first.
create function warm_centroids(
    run_id bigint,
    centered boolean
)
returns vector[]
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
begin
    return array(
        select s.centroid
        from run_segments s
        join segmentation_runs r using (run_id)
        where s.run_id = warm_centroids.run_id and (r.average is not null) = warm_centroids.centered
        order by s.users desc, s.segment_id
    );
end
$$;

comment on function warm_centroids(bigint, boolean) is
'Internal. The centroids of a run, the largest segment first; none of a run that is centered where the next one is not,
or the other way round.
Example: select cardinality(warm_centroids(1, centered => true));';
