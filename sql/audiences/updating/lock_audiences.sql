-- Lets those who change audiences of the space take turns, until the end of their transactions.
create function lock_audiences()
returns void
language plpgsql
volatile
parallel unsafe
set search_path from current
as $$
begin
    perform pg_advisory_xact_lock(lock_key('audiences'));
end
$$;

comment on function lock_audiences() is
'Internal. Waits until nobody else changes audiences of the space, and keeps others from it until the transaction ends;
readers are not blocked. So change_id ascends in the order in which changes become visible.
Example: select lock_audiences();';
