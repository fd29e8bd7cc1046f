-- The k entries nearest to a vector; what every search over entries stands on.
--
-- An index scan that gives fewer rows than asked for is answered again, exactly ('+ 0' keeps the index away).
create function nearest_entries(
    query vector,
    k bigint
)
returns table (
    entry_key bigint,
    similarity double precision
)
language plpgsql
stable
parallel safe
set search_path from current
set plan_cache_mode = force_custom_plan
set hnsw.ef_search = 1000
set hnsw.iterative_scan = strict_order
as $$
#variable_conflict use_column
declare
    _index_limit constant bigint := 1000;
    _keys bigint[];
    _similarities double precision[];
begin
    perform check_query(nearest_entries.query, nearest_entries.k);

    if nearest_entries.k <= _index_limit then
        select array_agg(n.entry_key), array_agg(1 - n.distance) into _keys, _similarities
        from (
            select v.entry_key, v.embedding <=> nearest_entries.query as distance
            from entry_vectors v
            order by distance, v.entry_key
            limit nearest_entries.k
        ) n;
    end if;

    if cardinality(_keys) is distinct from nearest_entries.k then
        select array_agg(n.entry_key), array_agg(1 - n.distance) into _keys, _similarities
        from (
            select v.entry_key, (v.embedding <=> nearest_entries.query) + 0 as distance
            from entry_vectors v
            order by distance, v.entry_key
            limit nearest_entries.k
        ) n;
    end if;

    return query
    select n.entry_key, n.similarity
    from unnest(_keys, _similarities) n (entry_key, similarity)
    order by n.similarity desc, n.entry_key;
end
$$;

comment on function nearest_entries(vector, bigint) is
'Internal. The k entries whose vectors are nearest to a vector, by cosine similarity; never fewer than exist.
Example: select entry_key, similarity from nearest_entries(embed(''ski enthusiasts''), k => 10);';
