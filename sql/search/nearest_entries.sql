-- The k entries nearest to a vector; what every search over entries stands on.
--
-- As of users, in nearest_users: exact where there is a filter, where k is large, and where an index is not to be
-- believed.
create function nearest_entries(
    query vector,
    k bigint,
    filter jsonb default '{}'
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
    _most_of_index constant bigint := 1000;
    _least_of_index constant bigint := 200;
    _keys bigint[];
    _distances double precision[];
    _missed boolean := true;
begin
    perform check_query(nearest_entries.query);
    perform check_k(nearest_entries.k);
    perform check_filter(nearest_entries.filter);

    if nearest_entries.filter = '{}'
        and nearest_entries.k <= _most_of_index
        and has_vector_index('entry_vectors') then
        select array_agg(n.entry_key), array_agg(n.distance) into _keys, _distances
        from (
            select v.entry_key, v.embedding <=> nearest_entries.query as distance
            from entry_vectors v
            order by distance, v.entry_key
            limit greatest(nearest_entries.k, _least_of_index)
        ) n;

        if cardinality(_keys) >= nearest_entries.k and not is_crowded(_distances) then
            select exists (
                select
                from entry_sample s
                where s.entry_key <> all (_keys)
                    and s.embedding <=> nearest_entries.query < (
                        select max(d.distance)
                        from unnest(_distances) d (distance)
                    )
            )
            into _missed;
        end if;
    end if;

    return query
    select n.entry_key, 1 - n.distance
    from (
        select v.entry_key, (v.embedding <=> nearest_entries.query) + 0 as distance
        from entry_vectors v
        where (_missed or v.entry_key = any (_keys))
            and (
                nearest_entries.filter = '{}'
                or v.entry_key in (
                    select e.entry_key
                    from entries e
                    where e.attributes @> (select stored_filter(nearest_entries.filter, 'entries'))
                )
            )
        order by distance, v.entry_key
        limit nearest_entries.k
    ) n;
end
$$;

comment on function nearest_entries(vector, bigint, jsonb) is
'Internal. The k entries whose vectors are nearest to a vector, by cosine similarity, nearest first, of those whose
attributes contain a filter; never fewer than exist.
Example: select entry_key, similarity from nearest_entries(embed(''ski enthusiasts''), k => 10);';
