-- Wakes the workers of the space when there are texts to embed. It may run with the rights of the space's owner, inside
-- take_activity_input, so it uses nothing but what it names in pg_catalog.
create function notify_worker()
returns trigger
language plpgsql
set search_path from current
as $$
declare
    _space text;
begin
    perform pg_catalog.pg_notify(pg_catalog.concat('pgaudience_', tg_table_schema), '');

    for _space in select d.space from derived_spaces d loop
        perform pg_catalog.pg_notify(pg_catalog.concat('pgaudience_', _space), '');
    end loop;

    return null;
end
$$;

comment on function notify_worker() is
'Internal. Trigger function: wakes the workers of the space.';

do $$
begin
    if (select s.base is null from space s) then
        create trigger notify_worker
        after insert or update of entry, attributes on entries
        for each statement execute function notify_worker();
    end if;
end
$$;

create trigger notify_worker
after update of entry_template on space
for each statement execute function notify_worker();
