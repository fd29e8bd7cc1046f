-- Notes whose activity a statement changes, and what that adds to the statistics of entries, in every space of tables
-- over these people.
--
-- Of a statement that changes a tenth of the activity, or more, it is noted only that there was one: a refresh then
-- computes everything, which is no slower.
create function log_activity()
returns trigger
language plpgsql
security definer
set search_path from current
as $$
declare
    _least_share_of_many constant double precision := 0.1;
    _differences constant text := case tg_op
        when 'INSERT' then 'select user_key, entry_key, frequency, 1 as users from after'
        when 'DELETE' then 'select user_key, entry_key, -frequency, -1 as users from before'
        when 'UPDATE' then
            'select user_key, entry_key, frequency, 1 as users from after
            union all
            select user_key, entry_key, -frequency, -1 from before'
    end;
    _space text;
    _is_much boolean := true;
begin
    perform narrow_search_path();

    if tg_op <> 'TRUNCATE' then
        execute format(
            'select count(*) >= greatest(%s * (select c.reltuples from pg_class c where c.oid = %s), 1) from %I',
            _least_share_of_many,
            tg_relid,
            case when tg_op = 'DELETE' then 'before' else 'after' end
        )
        into _is_much;
    end if;

    for _space in select current_schema()::text union all select d.space from derived_spaces d loop
        if _is_much then
            execute format('insert into %I.changed_users (user_key) values (null)', _space);
        else
            execute format(
                'insert into %I.changed_users (user_key)
                select distinct d.user_key
                from (%s) d (user_key, entry_key, frequency, users)',
                _space,
                _differences
            );
            execute format(
                'insert into %I.changed_entries (entry_key, users, frequency)
                select d.entry_key, sum(d.users), sum(d.frequency)
                from (%s) d (user_key, entry_key, frequency, users)
                group by d.entry_key
                having sum(d.users) <> 0 or sum(d.frequency) <> 0',
                _space,
                _differences
            );
        end if;
    end loop;

    return null;
end
$$;

revoke execute on function log_activity() from public;

comment on function log_activity() is
'Internal. Trigger function: notes in changed_users and changed_entries what becomes of activity.';

do $$
begin
    if (select s.base is null and s.materialization = 'tables' and not s.distributed from space s) then
        create trigger log_inserts
        after insert on activity
        referencing new table as after
        for each statement execute function log_activity();

        create trigger log_updates
        after update on activity
        referencing old table as before new table as after
        for each statement execute function log_activity();

        create trigger log_deletes
        after delete on activity
        referencing old table as before
        for each statement execute function log_activity();

        create trigger log_truncation
        after truncate on activity
        for each statement execute function log_activity();
    end if;
end
$$;
