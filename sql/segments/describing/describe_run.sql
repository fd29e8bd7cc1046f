-- Says what the segments of a run are: what sets them apart, what their users are like, what they are called.
create procedure describe_run(
    run_id bigint
)
language plpgsql
set search_path from current
as $$
begin
    if not exists (select from segmentation_runs r where r.run_id = describe_run.run_id) then
        raise exception using
            errcode = 'no_data_found',
            message = format('there is no run %s', describe_run.run_id),
            hint = 'The runs are in segmentation_runs: select run_id, segmentation, created_at from segmentation_runs;';
    end if;

    call describe_entries(describe_run.run_id);
    call describe_attributes(describe_run.run_id);
    call name_segments(describe_run.run_id);
end
$$;

comment on procedure describe_run(bigint) is
'Says what the segments of a run are: the entries that set them apart, what their users are like by their attributes,
and their names and keywords. build_segmentation calls it; call it again after users have got new attributes.
Example: call describe_run(1);';
