-- Has deletions of users wait until what is written of them is committed; any number of sessions may write at once.
create function hold_users()
returns void
language plpgsql
volatile
parallel unsafe
set search_path from current
as $$
begin
    perform pg_advisory_xact_lock_shared(lock_key('users', coalesce(s.base, current_schema())))
    from space s;
end
$$;

comment on function hold_users() is
'Internal. Keeps the users of the space from being deleted until the transaction ends.
Example: select hold_users();';
