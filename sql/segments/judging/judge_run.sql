-- Writes down how good a run is, for the whole and for each segment.
create procedure judge_run(
    run_id bigint,
    sample_size bigint default 1000
)
language plpgsql
set search_path from current
as $$
#variable_conflict use_column
declare
    _row record;
begin
    for _row in select * from run_quality(judge_run.run_id, judge_run.sample_size) loop
        if _row.segment_id is null then
            update segmentation_runs r
            set
                silhouette = _row.silhouette,
                simplified_silhouette = _row.simplified_silhouette,
                davies_bouldin = _row.davies_bouldin,
                calinski_harabasz = _row.calinski_harabasz
            where r.run_id = judge_run.run_id;
        else
            update run_segments s
            set silhouette = _row.silhouette
            where s.run_id = judge_run.run_id and s.segment_id = _row.segment_id;
        end if;
    end loop;
end
$$;

comment on procedure judge_run(bigint, bigint) is
'Internal. Writes the quality of a run into segmentation_runs and run_segments; silhouettes are those of a sample of its
users.
Example: call judge_run(1);';
