-- Notes which entries get another vector, or lose theirs, in a space of tables.
create function log_vectors()
returns trigger
language plpgsql
security definer
set search_path from current
as $$
begin
    perform narrow_search_path();

    if tg_op = 'INSERT' then
        insert into changed_vectors (entry_key)
        select a.entry_key
        from after a;
    elsif tg_op = 'DELETE' then
        insert into changed_vectors (entry_key)
        select b.entry_key
        from before b;
    elsif tg_op = 'UPDATE' then
        insert into changed_vectors (entry_key)
        select b.entry_key
        from before b
        join after a using (entry_key)
        where row (a.embedding)::record *<> row (b.embedding)::record;
    else
        insert into changed_users (user_key)
        values (null);
    end if;

    return null;
end
$$;

revoke execute on function log_vectors() from public;

comment on function log_vectors() is
'Internal. Trigger function: notes in changed_vectors which entries have another vector.';

do $$
begin
    if (select s.materialization = 'tables' from space s) then
        create trigger log_inserts
        after insert on entry_vectors
        referencing new table as after
        for each statement execute function log_vectors();

        create trigger log_updates
        after update on entry_vectors
        referencing old table as before new table as after
        for each statement execute function log_vectors();

        create trigger log_deletes
        after delete on entry_vectors
        referencing old table as before
        for each statement execute function log_vectors();

        create trigger log_truncation
        after truncate on entry_vectors
        for each statement execute function log_vectors();
    end if;
end
$$;
