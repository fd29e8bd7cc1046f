-- A value as an attribute of its kind is stored. What is no number stays a text among numbers: nothing is equal to it.
create function stored_value(
    value jsonb,
    kind text
)
returns jsonb
language plpgsql
immutable
parallel safe
set search_path from current
as $$
begin
    return case
        when jsonb_typeof(stored_value.value) = 'array' then coalesce(
            (
                select jsonb_agg(stored_value(v.value, stored_value.kind) order by v.place)
                from jsonb_array_elements(stored_value.value) with ordinality v (value, place)
            ),
            '[]'
        )
        when stored_value.kind = 'number'
            and jsonb_typeof(stored_value.value) = 'string'
            and is_number(stored_value.value #>> '{}')
        then to_jsonb((stored_value.value #>> '{}')::numeric)
        when stored_value.kind = 'text' and jsonb_typeof(stored_value.value) in ('number', 'boolean')
        then to_jsonb(stored_value.value #>> '{}')
        else stored_value.value
    end;
end
$$;

comment on function stored_value(jsonb, text) is
'Internal. A value, or the values of a list, as an attribute of a kind is stored, number or text; of any other kind as
it is.
Example: select stored_value(''80331'', ''text''), stored_value(''"80331"'', ''number'');';
