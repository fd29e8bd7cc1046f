-- Takes the place of 'on delete cascade' in audience_members and audience_changes: once a statement, not once a row.
-- Users who are deleted leave the audiences of the spaces over these people too.
create function delete_members()
returns trigger
language plpgsql
security definer
set search_path from current
as $$
declare
    _space text;
    _user_ids text[];
begin
    if tg_table_name = 'users' then
        _user_ids := array(select g.user_id from gone g);

        for _space in select current_schema()::text union all select d.space from derived_spaces d loop
            execute format('select %I.leave_audiences($1)', _space) using _user_ids;
        end loop;
    else
        delete from audience_members m using gone g where m.audience = g.audience;
        delete from audience_changes c using gone g where c.audience = g.audience;
    end if;
    return null;
end
$$;

revoke execute on function delete_members() from public;

comment on function delete_members() is
'Internal. Trigger function: removes users that are deleted from all audiences, and the members and changes of audiences
that are dropped.';

do $$
begin
    if (select s.base is null and not s.distributed from space s) then
        create trigger delete_members
        after delete on users
        referencing old table as gone
        for each statement execute function delete_members();
    end if;
end
$$;

create trigger delete_members
after delete on audiences
referencing old table as gone
for each statement execute function delete_members();
