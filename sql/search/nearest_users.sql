-- The k users nearest to a vector; what every search over users stands on.
--
-- A filter, or a k beyond what an index scan yields well, is answered by an exact scan ('+ 0' keeps the index away).
-- An index scan that gives fewer rows than asked for is answered again, exactly.
create function nearest_users(
    query vector,
    k bigint,
    filter jsonb default '{}',
    leave_out text[] default '{}',
    centered boolean default false
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
set hnsw.ef_search = 200
set hnsw.iterative_scan = strict_order
as $$
#variable_conflict use_column
declare
    _index_limit constant bigint := 1000;
    _vectors constant text := user_vector_relation(nearest_users.centered);
    _keys bigint[];
begin
    perform check_query(nearest_users.query, nearest_users.k);
    perform check_filter(nearest_users.filter);

    if nearest_users.filter = '{}' and nearest_users.k <= _index_limit then
        execute format(
            'select array_agg(n.user_key)
            from (
                select n.user_key
                from (
                    select v.user_key, v.user_id, v.embedding <=> $1 as distance
                    from %I v
                    order by distance, v.user_id
                    limit $2 + cardinality($3)
                ) n
                where n.user_id <> all ($3)
                order by n.distance, n.user_id
                limit $2
            ) n',
            _vectors
        )
        into _keys
        using nearest_users.query, nearest_users.k, nearest_users.leave_out;

        if cardinality(_keys) = nearest_users.k then
            return query execute format(
                'select v.user_key, v.user_id, v.embedding <=> $1 as distance
                from %I v
                where v.user_key = any ($2)
                order by distance, v.user_id',
                _vectors
            )
            using nearest_users.query, _keys;
            return;
        end if;
    end if;

    return query execute format(
        'select v.user_key, v.user_id, (v.embedding <=> $1) + 0 as distance
        from %I v
        where v.user_id <> all ($4)
            and ($3 = ''{}'' or v.user_key in (select u.user_key from users u where u.attributes @> $3))
        order by distance, v.user_id
        limit $2',
        _vectors
    )
    using nearest_users.query, nearest_users.k, nearest_users.filter, nearest_users.leave_out;
end
$$;

comment on function nearest_users(vector, bigint, jsonb, text[], boolean) is
'Internal. The k users whose vectors are nearest to a vector, by cosine distance, some left out; never fewer than exist.
With centered, users are as seen from the average user, and so should be the vector.
Example: select user_id, distance from nearest_users(embed(''ski enthusiasts''), k => 10);';
