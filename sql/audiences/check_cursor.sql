-- Refuses a cursor without a name, or over an audience that is not there.
create function check_cursor(
    audience text,
    cursor text
)
returns void
language plpgsql
stable
parallel safe
set search_path from current
as $$
begin
    if coalesce(check_cursor.cursor !~ '\S', true) then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = 'the cursor needs a name',
            hint = 'For example: ''crm''';
    end if;

    perform check_foundations(jsonb_build_object('any_of', array[check_cursor.audience]));
end
$$;

comment on function check_cursor(text, text) is
'Internal. Raises an error unless the audience exists and the cursor has a name.
Example: select check_cursor(''skiers'', ''crm'');';
