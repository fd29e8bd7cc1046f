-- Notes that a copy of an audience has caught up with a change.
create procedure confirm_changes(
    audience text,
    cursor text,
    change_id bigint
)
language plpgsql
set search_path from current
as $$
#variable_conflict use_column
begin
    perform check_cursor(confirm_changes.audience, confirm_changes.cursor);

    if confirm_changes.change_id is null
        or confirm_changes.change_id > (
            select coalesce(max(c.change_id), 0)
            from audience_changes c
            where c.audience = confirm_changes.audience
        ) then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format(
                'audience %L has no change %s yet',
                confirm_changes.audience,
                coalesce(confirm_changes.change_id::text, 'null')
            ),
            hint = 'Confirm the highest change_id that read_changes gave.';
    end if;

    insert into audience_cursors as c (audience, cursor, started_at_change, change_id)
    values (confirm_changes.audience, confirm_changes.cursor, confirm_changes.change_id, confirm_changes.change_id)
    on conflict on constraint audience_cursors_pkey do update
    set change_id = greatest(c.change_id, excluded.change_id), moved_at = now();
end
$$;

comment on procedure confirm_changes(text, text, bigint) is
'Notes that a copy of an audience has all changes up to this one, so that read_changes goes on after it; it never goes
back.
Example: call confirm_changes(''skiers'', ''crm'', change_id => 1);';
