-- Says what the segments of a run are: what sets them apart, what their users are like, what they are called.
--
-- Attributes are compared where all of them are at hand, so only as many as the coordinator can hold.
create or replace procedure describe_run(
    run_id bigint
)
language plpgsql
set search_path from current
as $$
declare
    _most constant bigint := 5000000;
    _values bigint;
begin
    if not exists (select from segmentation_runs r where r.run_id = describe_run.run_id) then
        raise exception using
            errcode = 'no_data_found',
            message = format('there is no run %s', describe_run.run_id),
            hint = 'The runs are in segmentation_runs: select run_id, segmentation, created_at from segmentation_runs;';
    end if;

    call describe_entries(describe_run.run_id);

    select count(*) into _values
    from users u
    cross join lateral jsonb_object_keys(u.attributes) k;

    if _values <= _most then
        call describe_attributes(describe_run.run_id);
    else
        raise warning using
            message = format('the attributes of these segments are not described: there are %s of users', _values),
            detail = format('They are compared on the coordinator, and that holds %s.', _most);
    end if;

    call name_segments(describe_run.run_id);
end
$$;
