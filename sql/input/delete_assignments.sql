-- Takes the place of 'on delete cascade' in segment_assignments and segment_changes: once a statement, not once a row.
-- What belongs to a user is removed in the spaces over these people too.
create function delete_assignments()
returns trigger
language plpgsql
security definer
set search_path from current
as $$
declare
    _space text;
    _run_ids bigint[];
begin
    if tg_table_name = 'users' then
        for _space in select current_schema()::text union all select d.space from derived_spaces d loop
            execute format(
                'delete from %1$I.segment_assignments m
                using gone g, %1$I.segmentation_runs r
                where (m.run_id, m.user_key) = (r.run_id, g.user_key)',
                _space
            );
            execute format(
                'delete from %1$I.segment_changes c using gone g where c.user_id = g.user_id',
                _space
            );
        end loop;
    else
        _run_ids := array(select g.run_id from gone g);
        delete from segment_assignments m where m.run_id = any (_run_ids);
    end if;
    return null;
end
$$;

revoke execute on function delete_assignments() from public;

comment on function delete_assignments() is
'Internal. Trigger function: removes who was in which segment of runs that are deleted, and of users that are deleted
also what they entered and left.';

do $$
begin
    if (select s.base is null and not s.distributed from space s) then
        create trigger delete_assignments
        after delete on users
        referencing old table as gone
        for each statement execute function delete_assignments();
    end if;
end
$$;

create trigger delete_assignments
after delete on segmentation_runs
referencing old table as gone
for each statement execute function delete_assignments();
