-- Wakes the workers of the space when there are new entries.
create function notify_worker()
returns trigger
language plpgsql
set search_path from current
as $$
begin
    perform pg_notify('pgaudience_' || tg_table_schema, '');
    return null;
end
$$;

comment on function notify_worker() is
'Trigger function: wakes the workers of the space.';

create trigger notify_worker
after insert on entries
for each statement execute function notify_worker();
