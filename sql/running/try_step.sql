-- Does one step of a run, and says why it could not be done: that is undone, and does not keep the steps after it.
create procedure try_step(
    step text,
    inout counts jsonb default null,
    inout fault text default null
)
language plpgsql
set search_path from current
as $$
#variable_conflict use_column
begin
    call run_step(try_step.step, counts);
exception
    when invalid_parameter_value or no_data_found or object_not_in_prerequisite_state then
        fault := sqlerrm;
        raise warning '%: %', try_step.step, sqlerrm;
end
$$;

comment on procedure try_step(text, jsonb, text) is
'Internal. Does one step of a run; the result is what it did, or why it could not be done.
Example: call try_step(''audiences'');';
