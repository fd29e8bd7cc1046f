-- Notes that something behind the materialized views has changed, so that status can say 'stale'; where it is what
-- people did or who they are, in the spaces over these people too.
create function record_change()
returns trigger
language plpgsql
security definer
set search_path from current
as $$
declare
    _space text;
begin
    insert into changes (relation) values (tg_table_name);

    if tg_table_name in ('activity', 'users') then
        for _space in select d.space from derived_spaces d loop
            execute format('insert into %I.changes (relation) values (%L)', _space, tg_table_name);
        end loop;
    end if;

    return null;
end
$$;

revoke execute on function record_change() from public;

comment on function record_change() is
'Internal. Trigger function: notes in changes that a table changed since the last refresh.';

do $$
begin
    if (select s.base is null from space s) then
        create trigger record_change
        after delete on entries
        for each statement execute function record_change();
    end if;

    if (select s.base is null and not s.distributed from space s) then
        create trigger record_change
        after insert or update or delete or truncate on activity
        for each statement execute function record_change();

        create trigger record_change
        after delete on users
        for each statement execute function record_change();
    end if;
end
$$;

create trigger record_change
after insert or update or delete or truncate on entry_vectors
for each statement execute function record_change();

-- A user who is deleted takes the given vector along: that is noted as a change of users.
create trigger record_change
after insert or update or delete or truncate on given_user_vectors
for each statement
when (pg_trigger_depth() = 0)
execute function record_change();

create trigger record_change
after update of weighting, breadth, half_life on space
for each statement execute function record_change();
