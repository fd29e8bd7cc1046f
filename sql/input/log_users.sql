-- Notes which users get another id, or are deleted: in every space of tables over these people.
create function log_users()
returns trigger
language plpgsql
security definer
set search_path from current
as $$
declare
    _changed constant text := case tg_op
        when 'DELETE' then 'select user_key from before'
        when 'UPDATE' then
            'select b.user_key
            from before b
            join after a using (user_key)
            where a.user_id <> b.user_id'
        else 'select null::bigint'
    end;
    _space text;
begin
    perform narrow_search_path();

    for _space in select current_schema()::text union all select d.space from derived_spaces d loop
        execute format('insert into %I.changed_users (user_key) %s', _space, _changed);
    end loop;

    return null;
end
$$;

revoke execute on function log_users() from public;

comment on function log_users() is
'Internal. Trigger function: notes in changed_users who has another id, or is deleted.';

do $$
begin
    if (select s.base is null and s.materialization = 'tables' and not s.distributed from space s) then
        create trigger log_updates
        after update on users
        referencing old table as before new table as after
        for each statement execute function log_users();

        create trigger log_deletes
        after delete on users
        referencing old table as before
        for each statement execute function log_users();

        create trigger log_truncation
        after truncate on users
        for each statement execute function log_users();
    end if;
end
$$;
