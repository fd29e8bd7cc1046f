-- Stops a question for a number of rows that is none.
create function check_k(
    k bigint
)
returns void
language plpgsql
immutable
parallel safe
set search_path from current
as $$
begin
    if check_k.k is null or check_k.k < 0 then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('k is how many rows to return, not %s', coalesce(check_k.k::text, 'null')),
            hint = 'For example: k => 20';
    end if;
end
$$;

comment on function check_k(bigint) is
'Internal. Raises 22023 unless k is a number of rows, 0 or more; one beyond all there are gives all.
Example: select check_k(20);';
