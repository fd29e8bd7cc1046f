-- Takes the place of 'on delete cascade' in activity and in what sources have of it: once a statement, not once a row.
create function delete_activity()
returns trigger
language plpgsql
security definer
set search_path from current
as $$
begin
    if tg_table_name = 'users' then
        delete from activity a using gone g where a.user_key = g.user_key;
        delete from source_activity a using gone g where a.user_key = g.user_key;
    else
        delete from activity a using gone g where a.entry_key = g.entry_key;
        delete from source_activity a using gone g where a.entry_key = g.entry_key;
        delete from source_entries k using gone g where k.entry_key = g.entry_key;
    end if;
    return null;
end
$$;

revoke execute on function delete_activity() from public;

comment on function delete_activity() is
'Internal. Trigger function: removes the activity of users and entries that are deleted, and what sources have of it.';

do $$
begin
    if (select s.base is null and not s.distributed from space s) then
        create trigger delete_activity
        after delete on users
        referencing old table as gone
        for each statement execute function delete_activity();

        create trigger delete_activity
        after delete on entries
        referencing old table as gone
        for each statement execute function delete_activity();
    end if;
end
$$;
