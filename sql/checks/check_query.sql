-- Stops a search whose query or k means nothing.
create function check_query(
    query vector,
    k bigint
)
returns void
language plpgsql
immutable
parallel safe
set search_path from current
as $$
begin
    if check_query.query is null or vector_norm(check_query.query) = 0 then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = 'the query vector has no direction: it is null or all zeros';
    end if;

    if check_query.k is null or check_query.k < 0 then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('k is how many rows to return, not %s', coalesce(check_query.k::text, 'null'));
    end if;
end
$$;

comment on function check_query(vector, bigint) is
'Internal. Raises 22023 unless the query vector has a direction and k is a number of rows.
Example: select check_query(embed(''ski enthusiasts''), k => 20);';
