-- Opens a cursor for a copy of an audience that is about to be read for the first time.
--
-- If that reading fails half-way, the copy may have somebody who leaves before the next: read_changes then knows since
-- when to look.
create procedure open_cursor(
    audience text,
    cursor text
)
language plpgsql
set search_path from current
as $$
#variable_conflict use_column
begin
    perform check_cursor(open_cursor.audience, open_cursor.cursor);

    insert into audience_cursors (audience, cursor, started_at_change)
    select open_cursor.audience, open_cursor.cursor, coalesce(max(c.change_id), 0)
    from audience_changes c
    where c.audience = open_cursor.audience
    on conflict do nothing;
end
$$;

comment on procedure open_cursor(text, text) is
'Opens a cursor for a copy of an audience, before read_changes is first asked; one that is open stays as it is.
Example: call open_cursor(''skiers'', ''crm'');';
