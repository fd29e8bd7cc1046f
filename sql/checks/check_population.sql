-- Refuses a filter that leaves nobody.
create function check_population(
    filter jsonb,
    centered boolean
)
returns void
language plpgsql
stable
parallel safe
set search_path from current
as $$
declare
    _found bigint;
begin
    execute format(
        'select from %I v join users u using (user_key) where u.attributes @> (select stored_filter($1)) limit 1',
        user_vector_relation(check_population.centered)
    )
    using check_population.filter;
    get diagnostics _found = row_count;

    if _found = 0 then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('no user with a vector has the attributes of the filter %s', check_population.filter),
            hint = 'See what there is: select attributes from users limit 10;';
    end if;
end
$$;

comment on function check_population(jsonb, boolean) is
'Internal. Raises 22023 unless some user with a vector, centered or not, has the attributes of a filter; 55000 if nobody
has a vector.
Example: select check_population(''{}'', centered => true);';
