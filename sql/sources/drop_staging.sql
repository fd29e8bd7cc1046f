-- Drops what create_staging has made.
create procedure drop_staging()
language plpgsql
set search_path from current
as $$
begin
    drop table pg_temp.staged_rows, pg_temp.staged_users, pg_temp.staged_items;
end
$$;

comment on procedure drop_staging() is
'Internal. Drops the temporary tables that create_staging has made.
Example: call create_staging(); call drop_staging();';
