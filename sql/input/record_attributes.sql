-- Notes that something is known of users that was not: for users_wide, and as a change of vectors in the spaces of
-- attributes over these people.
create function record_attributes()
returns trigger
language plpgsql
security definer
set search_path from current
as $$
declare
    _are_known boolean := true;
    _space text;
begin
    if tg_op <> 'TRUNCATE' then
        select exists (select from after a where tg_op = 'UPDATE' or a.attributes <> '{}') into _are_known;
    end if;

    for _space in select current_schema()::text union all select d.space from derived_spaces d loop
        execute format(
            'insert into %1$I.changes (relation)
            select %2$L where %3$L
            union all
            select %4$L from %1$I.space s where s.model = %2$L',
            _space,
            'attributes',
            _are_known,
            tg_table_name
        );
    end loop;

    return null;
end
$$;

revoke execute on function record_attributes() from public;

comment on function record_attributes() is
'Internal. Trigger function: notes in changes that attributes of users have changed, and in those of spaces of
attributes that their users have.';

do $$
begin
    if (select s.base is null and not s.distributed from space s) then
        create trigger record_new_attributes
        after insert on users
        referencing new table as after
        for each statement execute function record_attributes();

        create trigger record_attributes
        after update on users
        referencing new table as after
        for each statement execute function record_attributes();

        create trigger record_truncation
        after truncate on users
        for each statement execute function record_attributes();
    end if;
end
$$;

create trigger record_change
after insert or update or delete or truncate on attribute_axes
for each statement execute function record_change();
