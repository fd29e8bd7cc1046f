-- Brings every materialized view up to date, or, where tables are in their place, what has changed of them.
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
    _is_known_anew boolean := false;
    _user_keys bigint[] := '{}';
    _entry_keys bigint[];
    _relation text;
    _key text;
    _is_view boolean;
    _readable boolean;
begin
    perform narrow_search_path();
    perform pg_advisory_xact_lock(lock_key('refresh'));

    loop
        with seen as (
            delete from changes returning relation
        )
        select
            array_agg(distinct relation),
            _every_row or coalesce(bool_or(relation = 'space'), false),
            _is_known_anew or coalesce(bool_or(relation in ('attributes', 'users')), false)
        into _changed, _every_row, _is_known_anew
        from seen;

        call take_changed_users(_changed, _user_keys);

        exit when not remove_orphans(_changed, _user_keys);
    end loop;

    if _user_keys is null then
        update space set weighted_at = clock_timestamp();
    end if;

    for _relation, _key in
        values
            ('entry_stats', 'entry_key'),
            ('entry_lengths', 'user_key'),
            ('common_weights', 'frequency'),
            ('user_vectors', 'user_key'),
            ('average_user', 'users'),
            ('centered_user_vectors', 'user_key'),
            ('entry_sample', 'entry_key'),
            ('user_sample', 'user_key'),
            ('entry_postings', 'entry_key')
    loop
        select c.relkind = 'm', c.relispopulated into _is_view, _readable
        from pg_class c
        where c.oid = to_regclass(format('%I.%I', current_schema(), _relation));

        if _readable then
            execute format('select exists (select from %I.%I)', current_schema(), _relation) into _readable;
        end if;

        if _relation = 'average_user' then
            continue when _readable and not _every_row and average_user_drift() <= case
                when to_regclass(format('%I.centered_user_vectors_embedding', current_schema())) is null then _little
                else _little_under_an_index
            end;
            _every_row := true;
        end if;

        if _is_view then
            execute format(
                'refresh materialized view %s %I.%I',
                case when _readable and not (_every_row and has_vector_index(_relation)) then 'concurrently' end,
                current_schema(),
                _relation
            );
        else
            call update_table(_relation, _key, _user_keys, _every_row, _entry_keys);
        end if;
    end loop;

    if _is_known_anew then
        call widen_users();
    end if;

    update space set refreshed_at = clock_timestamp();
end
$$;

revoke execute on procedure refresh() from public;

comment on procedure refresh() is
'Brings entry_stats, user_vectors, centered_user_vectors and what they stand on up to date with what is loaded and
embedded; readers wait only where it builds an index anew.
Example: call refresh();';
