-- The k users nearest to a vector; what every search over users stands on.
--
-- A filter, or a k beyond what an index scan yields well, is answered by an exact scan ('+ 0' keeps the index away).
-- An index scan that gives fewer rows than asked for is answered again, exactly.
create function nearest_users(
    query vector,
    k bigint,
    filter jsonb default '{}',
    leave_out text[] default '{}'
)
returns table (
    user_key bigint,
    user_id text,
    distance double precision
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
    perform check_query(nearest_users.query, nearest_users.k);
    perform check_filter(nearest_users.filter);

    if not exists (select from user_vectors) then
        raise exception using
            errcode = 'object_not_in_prerequisite_state',
            message = 'no user has a vector yet',
            hint = 'Load and embed some activity, then: call refresh();';
    end if;

    if nearest_users.filter = '{}' and nearest_users.k <= _index_limit then
        select array_agg(n.user_key) into _keys
        from (
            select n.user_key
            from (
                select v.user_key, v.user_id, v.embedding <=> nearest_users.query as distance
                from user_vectors v
                order by distance, v.user_id
                limit nearest_users.k + cardinality(nearest_users.leave_out)
            ) n
            where n.user_id <> all (nearest_users.leave_out)
            order by n.distance, n.user_id
            limit nearest_users.k
        ) n;

        if cardinality(_keys) = nearest_users.k then
            return query
            select v.user_key, v.user_id, v.embedding <=> nearest_users.query as distance
            from user_vectors v
            where v.user_key = any (_keys)
            order by distance, v.user_id;
            return;
        end if;
    end if;

    return query
    select v.user_key, v.user_id, (v.embedding <=> nearest_users.query) + 0 as distance
    from user_vectors v
    where v.user_id <> all (nearest_users.leave_out)
        and (
            nearest_users.filter = '{}'
            or v.user_key in (select u.user_key from users u where u.attributes @> nearest_users.filter)
        )
    order by distance, v.user_id
    limit nearest_users.k;
end
$$;

comment on function nearest_users(vector, bigint, jsonb, text[]) is
'The k users whose vectors are nearest to a vector, by cosine distance, some left out; never fewer than exist.
Example: select user_id, distance from nearest_users(embed(''ski enthusiasts''), k => 10);';
