-- Stops a question for users of no sensible number of entries.
create function check_min_entries(
    min_entries bigint
)
returns void
language plpgsql
immutable
parallel safe
set search_path from current
as $$
begin
    if check_min_entries.min_entries is null or check_min_entries.min_entries < 1 then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format(
                'min_entries is how many entries a user has at least, 1 or more, not %s',
                coalesce(check_min_entries.min_entries::text, 'null')
            ),
            hint = 'For example: min_entries => 8';
    end if;
end
$$;

comment on function check_min_entries(bigint) is
'Internal. Raises 22023 unless min_entries is 1 or more.
Example: select check_min_entries(8);';
