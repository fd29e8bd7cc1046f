-- Finds or makes the users that are staged.
create procedure settle_users()
language plpgsql
set search_path from current
as $$
#variable_conflict use_column
begin
    insert into users (user_id)
    select distinct s.user_id
    from pg_temp.staged_users s
    where s.reason is null
        and not exists (select from users u where u.user_id = s.user_id)
        and exists (select from pg_temp.staged_rows r where r.user_id = s.raw and r.reason is null)
    order by s.user_id
    on conflict do nothing;

    update pg_temp.staged_users s
    set user_key = u.user_key
    from users u
    where u.user_id = s.user_id and s.reason is null;
end
$$;

comment on procedure settle_users() is
'Internal. Gives every user who is staged a key; who is new is made.
Example: call create_staging(); call settle_users(); call drop_staging();';
