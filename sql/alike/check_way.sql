-- Stops a question by a way of finding look-alikes that there is not.
create function check_way(
    by text
)
returns void
language plpgsql
immutable
parallel safe
set search_path from current
as $$
begin
    if check_way.by is null or check_way.by not in ('mean', 'nearest') then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('users cannot be like a group by %L', check_way.by),
            hint = 'Use: by => ''mean'' or by => ''nearest''';
    end if;
end
$$;

comment on function check_way(text) is
'Internal. Raises 22023 unless look-alikes can be found that way.
Example: select check_way(''nearest'');';
