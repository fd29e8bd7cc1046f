-- Wakes the workers of the space when there are texts to embed. It may run with the rights of the space's owner, inside
-- take_activity_input, so it uses nothing but what it names in pg_catalog.
create function notify_worker()
returns trigger
language plpgsql
set search_path from current
as $$
begin
    perform pg_catalog.pg_notify(pg_catalog.concat('pgaudience_', tg_table_schema), '');
    return null;
end
$$;

comment on function notify_worker() is
'Trigger function: wakes the workers of the space.';

create trigger notify_worker
after insert or update of attributes on entries
for each statement execute function notify_worker();

create trigger notify_worker
after update of entry_template on space
for each statement execute function notify_worker();
