-- Brings everything up to date: what is of single users on the shards, the rest from sums of theirs.
--
-- All of it is computed anew, in one transaction: there are no triggers on distributed tables that could tell what has
-- changed. Loads say that something has. Whoever has written a reference table reads it through the same connection,
-- so there is one to each server: servers work side by side, the shards of each one after the other.
create or replace procedure refresh()
language plpgsql
security definer
set search_path from current
set citus.max_adaptive_executor_pool_size = 1
as $$
declare
    _changed bigint[];
    _everything boolean;
    _gone bigint[];
    _table text;
begin
    perform narrow_search_path();
    perform pg_advisory_xact_lock(lock_key('refresh'));

    delete from changes;
    delete from changed_entries;

    select count(*) = 0 into _everything from reference_vectors;
    delete from changed_users;
    _everything := _everything or found;
    with seen as (
        delete from changed_vectors returning entry_key
    )
    select array_agg(distinct s.entry_key) into _changed
    from seen s;

    delete from reference_vectors r where _everything or r.entry_key = any (_changed);
    insert into reference_vectors (entry_key, embedding)
    select v.entry_key, v.embedding
    from entry_vectors v
    where _everything or v.entry_key = any (_changed);

    update space set weighted_at = clock_timestamp();
    delete from reference_policies;
    insert into reference_policies (weighting, half_life, weighted_at)
    select s.weighting, s.half_life, s.weighted_at
    from space s;

    delete from activity a where not exists (select from users u where u.user_key = a.user_key);
    delete from segment_assignments m where not exists (select from users u where u.user_key = m.user_key);
    select array_agg(k.entry_key) into _gone
    from (select distinct a.entry_key from activity a) k
    where not exists (select from entries e where e.entry_key = k.entry_key);
    if _gone is not null then
        delete from activity a where a.entry_key = any (_gone);
    end if;

    foreach _table in array '{
        entry_stats,entry_lengths,common_weights,user_vectors,average_user,centered_user_vectors,entry_sample,user_sample
    }'::text[] loop
        execute format('delete from %I', _table);
        execute format('insert into %I select * from %I', _table, _table || '_live');
    end loop;

    call widen_users();

    update space set refreshed_at = clock_timestamp();
end
$$;
