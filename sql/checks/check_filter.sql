-- Refuses what is no filter of users.
create function check_filter(
    filter jsonb
)
returns void
language plpgsql
immutable
parallel safe
set search_path from current
as $$
begin
    if check_filter.filter is null or jsonb_typeof(check_filter.filter) <> 'object' then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = 'filter is a JSON object of user attributes',
            hint = 'For example: filter => ''{"country": "France"}''';
    end if;
end
$$;

comment on function check_filter(jsonb) is
'Internal. Raises 22023 unless a filter is a JSON object, as @> compares with the attributes of users.
Example: select check_filter(''{"country": "France"}'');';
