-- Brings every materialized view up to date.
--
-- The changes noted so far are removed first: whatever is committed after that stays noted, and at worst a change is
-- noted that the refresh has seen already. To remove orphans is such a change, so it is repeated until there are none.
--
-- Rewriting most rows under an HNSW index is far slower than making it anew, so where every row changes view and index
-- are made anew while readers wait: after a change of policy, and of centered_user_vectors when the average moves.
-- Every change of a user would move it a little and rewrite all of them, so it stays until it has moved by a
-- thousandth of the length of a user vector, or, to spare an index, by a hundredth.
--
-- Sums of floating point differ in their last bits with the order in which they are added up. One process, which reads
-- tables from their beginning, keeps to the same order, so that a row whose activity has not changed is not written.
-- That costs less than the writing would, let alone the upkeep of an index.
--
-- It runs with its owner's rights, so it first narrows search_path to the space: the schema of pgvector may be one in
-- which others can create functions.
create procedure refresh()
language plpgsql
security definer
set search_path from current
set max_parallel_workers_per_gather = 0
set synchronize_seqscans = off
as $$
declare
    _little constant double precision := 0.001;
    _little_under_an_index constant double precision := 0.01;
    _changed text[];
    _every_row boolean := false;
    _view text;
    _readable boolean;
begin
    perform narrow_search_path();
    perform pg_advisory_xact_lock(lock_key('refresh'));

    loop
        with seen as (
            delete from changes returning relation
        )
        select array_agg(distinct relation), _every_row or coalesce(bool_or(relation = 'space'), false)
        into _changed, _every_row
        from seen;

        exit when not remove_orphans(_changed);
    end loop;

    update space set weighted_at = clock_timestamp();

    foreach _view in array array[
        'entry_stats', 'entry_lengths', 'common_weights', 'user_vectors', 'average_user', 'centered_user_vectors',
        'entry_sample', 'user_sample', 'entry_postings'
    ] loop
        select c.relispopulated into _readable
        from pg_class c
        where c.oid = to_regclass(format('%I.%I', current_schema(), _view));

        if _readable then
            execute format('select exists (select from %I.%I)', current_schema(), _view) into _readable;
        end if;

        if _view = 'average_user' then
            continue when _readable and not _every_row and average_user_drift() <= case
                when to_regclass(format('%I.centered_user_vectors_embedding', current_schema())) is null then _little
                else _little_under_an_index
            end;
            _every_row := true;
        end if;

        execute format(
            'refresh materialized view %s %I.%I',
            case when _readable and not (_every_row and has_vector_index(_view)) then 'concurrently' end,
            current_schema(),
            _view
        );
    end loop;

    call widen_users();

    update space set refreshed_at = clock_timestamp();
end
$$;

revoke execute on procedure refresh() from public;

comment on procedure refresh() is
'Brings entry_stats, user_vectors, centered_user_vectors and what they stand on up to date with what is loaded and
embedded; readers wait only where it builds an index anew.
Example: call refresh();';
