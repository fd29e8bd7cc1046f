-- Refuses what is not to be had where users are on several machines.
create function check_undistributed(
    what text
)
returns void
language plpgsql
stable
parallel safe
set search_path from current
as $$
begin
    if (select s.distributed from space s) then
        raise exception using
            errcode = 'feature_not_supported',
            message = format('%s is not available in a distributed space', check_undistributed.what),
            hint = 'It needs all users on one machine: a space without --distributed. docs/scale.md says what works.';
    end if;
end
$$;

comment on function check_undistributed(text) is
'Internal. Raises 0A000 in a distributed space, naming what is not to be had there.
Example: select check_undistributed(''find_outliers'');';
