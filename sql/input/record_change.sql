-- Notes that something behind the materialized views has changed, so that status can say 'stale'.
create function record_change()
returns trigger
language plpgsql
security definer
set search_path from current
as $$
begin
    insert into changes (relation) values (tg_table_name);
    return null;
end
$$;

revoke execute on function record_change() from public;

comment on function record_change() is
'Trigger function: notes in changes that a table changed since the last refresh.';

create trigger record_change
after insert or update or delete or truncate on activity
for each statement execute function record_change();

create trigger record_change
after insert or update or delete or truncate on entry_vectors
for each statement execute function record_change();

create trigger record_change
after update of weighting, breadth, half_life on space
for each statement execute function record_change();
