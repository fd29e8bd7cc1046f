-- A filter as the attributes of the space are stored, so that "80331" and 80331 find the same.
create function stored_filter(
    filter jsonb,
    relation text default 'users'
)
returns jsonb
language plpgsql
stable
parallel safe
set search_path from current
as $$
begin
    return coalesce(
        (
            select jsonb_object_agg(f.key, stored_value(f.value, k.kind))
            from jsonb_each(stored_filter.filter) f
            left join attribute_kinds k on (k.relation, k.attribute) = (stored_filter.relation, f.key)
        ),
        '{}'
    );
end
$$;

comment on function stored_filter(jsonb, text) is
'Internal. A filter whose values are numbers or texts as the attributes of users, or of entries, are stored.
Example: select stored_filter(''{"age": "34"}'');';
