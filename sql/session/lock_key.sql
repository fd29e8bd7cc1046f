-- The key of the advisory lock by which sessions take turns at something in a space, whichever of SQL and Python asks.
create function lock_key(
    what text,
    space text default current_schema()
)
returns bigint
language sql
immutable
parallel safe
begin atomic
    select hashtextextended('pgaudience ' || lock_key.what || ' ' || lock_key.space, 0);
end;

comment on function lock_key(text, text) is
'Internal. The key of the advisory lock of a space for load, users, refresh, audiences, run, distill or terms.
Example: select pg_try_advisory_xact_lock(lock_key(''load''));';
