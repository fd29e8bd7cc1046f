-- Notes in the spaces of attributes over these people that something is known of them that was not.
create function record_attributes()
returns trigger
language plpgsql
security definer
set search_path from current
as $$
declare
    _space text;
begin
    for _space in select d.space from derived_spaces d loop
        execute format(
            'insert into %1$I.changes (relation) select %2$L from %1$I.space s where s.model = %3$L',
            _space,
            tg_table_name,
            'attributes'
        );
    end loop;

    return null;
end
$$;

revoke execute on function record_attributes() from public;

comment on function record_attributes() is
'Internal. Trigger function: notes in changes of spaces of attributes that those of users have changed.';

do $$
begin
    if (select s.base is null from space s) then
        create trigger record_attributes
        after insert or update of attributes on users
        for each statement execute function record_attributes();
    end if;
end
$$;

create trigger record_change
after insert or update or delete or truncate on attribute_axes
for each statement execute function record_change();
