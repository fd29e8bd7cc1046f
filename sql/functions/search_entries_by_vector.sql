-- Entries nearest to a query vector.
create function search_entries(
    query vector,
    k bigint default 20
)
returns table (
    entry text,
    similarity double precision,
    users bigint,
    frequency double precision
)
language plpgsql
stable
parallel safe
set search_path from current
set plan_cache_mode = force_custom_plan
set hnsw.ef_search = 200
set hnsw.iterative_scan = strict_order
as $$
#variable_conflict use_column
declare
    _index_limit constant bigint := 1000;
    _keys bigint[];
begin
    perform check_query(search_entries.query, search_entries.k);

    if not exists (select from entry_vectors) then
        raise exception using
            errcode = 'object_not_in_prerequisite_state',
            message = 'no entry has a vector yet',
            hint = 'Load some activity and run, in a shell: pgaudience embed';
    end if;

    if search_entries.k <= _index_limit then
        select array_agg(n.entry_key) into _keys
        from (
            select v.entry_key
            from entry_vectors v
            order by v.embedding <=> search_entries.query, v.entry_key
            limit search_entries.k
        ) n;
    end if;

    if cardinality(_keys) is distinct from search_entries.k then
        select array_agg(n.entry_key) into _keys
        from (
            select v.entry_key
            from entry_vectors v
            order by (v.embedding <=> search_entries.query) + 0, v.entry_key
            limit search_entries.k
        ) n;
    end if;

    return query
    select
        e.entry,
        1 - (v.embedding <=> search_entries.query) as similarity,
        coalesce(s.users, 0),
        coalesce(s.frequency, 0)
    from entry_vectors v
    join entries e using (entry_key)
    left join entry_stats s using (entry_key)
    where v.entry_key = any (_keys)
    order by similarity desc, e.entry;
end
$$;

comment on function search_entries(vector, bigint) is
'Entries nearest to a query vector, with how many users have them and how often.
Example: select * from search_entries(embed(''ski enthusiasts'') - embed(''horror fans''), k => 10);';
