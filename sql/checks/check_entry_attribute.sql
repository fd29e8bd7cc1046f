-- Stops a question about an attribute that no entry has.
create function check_entry_attribute(
    attribute text
)
returns void
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
begin
    if not exists (select from entries e where e.attributes ? check_entry_attribute.attribute) then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('no entry has an attribute %L', check_entry_attribute.attribute),
            hint = coalesce(
                (
                    select 'There are: ' || string_agg(k.attribute, ', ' order by k.attribute)
                    from attribute_kinds k
                    where k.relation = 'entries'
                ),
                'Load some, in a shell: pgaudience load --entries FILE'
            );
    end if;
end
$$;

comment on function check_entry_attribute(text) is
'Internal. Raises 22023 unless some entry has an attribute of that name.
Example: select check_entry_attribute(''category'');';
