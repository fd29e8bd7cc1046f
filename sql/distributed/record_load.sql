-- Notes what triggers note elsewhere: a distributed table has none.
create function record_load()
returns void
language sql
volatile
security definer
set search_path from current
begin atomic
    insert into changes (relation) values ('activity');
end;

revoke execute on function record_load() from public;

comment on function record_load() is
'Internal. In a distributed space, notes that a load has changed what people did.
Example: select record_load();';
