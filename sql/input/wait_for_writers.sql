-- Has deletions of users and entries take turns with whatever writes under their keys: one that came between the
-- look-up of a key and the commit of what stands under it would leave that behind.
create function wait_for_writers()
returns trigger
language plpgsql
set search_path from current
as $$
begin
    perform pg_advisory_xact_lock(lock_key(l.name, tg_table_schema))
    from (values ('load'), ('users')) l (name);
    return null;
end
$$;

comment on function wait_for_writers() is
'Internal. Trigger function: waits until nobody loads, or is writing of users, and keeps others from it until the
transaction ends.';

do $$
begin
    if (select s.base is null from space s) then
        create trigger wait_for_writers
        before delete on entries
        for each statement execute function wait_for_writers();
    end if;

    if (select s.base is null and not s.distributed from space s) then
        create trigger wait_for_writers
        before delete on users
        for each statement execute function wait_for_writers();
    end if;
end
$$;
