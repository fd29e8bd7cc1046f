-- Brings every materialized view up to date.
--
-- The changes noted so far are removed first: whatever is committed after that stays noted, and at worst a change
-- is noted that the refresh has seen already. Rewriting most rows under an HNSW index is far slower than building
-- it anew, so after a change of policy the index makes way and comes back.
--
-- It runs with its owner's rights, so it first narrows search_path to the space: the schema of pgvector may be one in
-- which others can create functions.
create procedure refresh()
language plpgsql
security definer
set search_path from current
as $$
declare
    _policy_changed boolean;
    _index_definition text;
    _view text;
    _readable boolean;
begin
    perform pg_catalog.set_config(
        'search_path',
        pg_catalog.concat(pg_catalog.quote_ident(pg_catalog.current_schema()::text), ', pg_temp'),
        true
    );
    perform pg_advisory_xact_lock(hashtextextended('pgaudience refresh ' || current_schema(), 0));

    with seen as (
        delete from changes returning relation
    )
    select coalesce(bool_or(relation = 'space'), false) into _policy_changed
    from seen;

    if _policy_changed then
        select pg_get_indexdef(i.indexrelid) into _index_definition
        from pg_index i
        where i.indexrelid = to_regclass(format('%I.user_vectors_embedding', current_schema()));

        if found then
            execute format('drop index %I.user_vectors_embedding', current_schema());
        end if;
    end if;

    update space set weighted_at = clock_timestamp();

    foreach _view in array array[
        'entry_stats', 'common_weights', 'user_vectors', 'entry_sample', 'user_sample', 'entry_postings'
    ] loop
        select c.relispopulated into _readable
        from pg_class c
        where c.oid = to_regclass(format('%I.%I', current_schema(), _view));

        if _readable then
            execute format('select exists (select from %I.%I)', current_schema(), _view) into _readable;
        end if;

        execute format(
            'refresh materialized view %s %I.%I',
            case when _readable then 'concurrently' end,
            current_schema(),
            _view
        );
    end loop;

    if _index_definition is not null then
        execute _index_definition;
    end if;

    update space set refreshed_at = clock_timestamp();
end
$$;

revoke execute on procedure refresh() from public;

comment on procedure refresh() is
'Brings entry_stats and user_vectors up to date with what is loaded and embedded; readers are not blocked.
Example: call refresh();';
