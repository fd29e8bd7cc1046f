-- The k users nearest to a vector; what every search over users stands on.
--
-- A filter, or a k beyond what an index scan yields well, is answered by an exact scan ('+ 0' keeps the index away),
-- and so is what an index does not answer for certain: an answer that is too short, or crowded, or beside which
-- somebody of user_sample is nearer than the last and not in it.
create function nearest_users(
    query vector,
    k bigint,
    filter jsonb default '{}',
    leave_out text[] default '{}',
    centered boolean default false,
    min_entries bigint default 1
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
set hnsw.ef_search = 400
set hnsw.iterative_scan = strict_order
as $$
#variable_conflict use_column
declare
    _most_of_index constant bigint := 1000;
    _least_of_index constant bigint := 200;
    _left_out constant bigint := cardinality(nearest_users.leave_out);
    _everybody constant boolean := nearest_users.filter = '{}' and nearest_users.min_entries = 1;
    _vectors constant text := user_vector_relation(nearest_users.centered);
    _keys bigint[];
    _distances double precision[];
    _missed boolean := true;
begin
    perform check_query(nearest_users.query);
    perform check_k(nearest_users.k);
    perform check_filter(nearest_users.filter);
    perform check_min_entries(nearest_users.min_entries);

    if _everybody and nearest_users.k <= _most_of_index - _left_out and has_vector_index(_vectors) then
        execute format(
            'select array_agg(n.user_key), array_agg(n.distance)
            from (
                select v.user_key, v.embedding <=> $1 as distance
                from %I v
                order by distance, v.user_id
                limit $2
            ) n',
            _vectors
        )
        into _keys, _distances
        using nearest_users.query, greatest(nearest_users.k + _left_out, _least_of_index);

        if cardinality(_keys) >= nearest_users.k + _left_out and not is_crowded(_distances) then
            execute format(
                'select exists (
                    select
                    from user_sample s
                    join %I v using (user_key)
                    where v.embedding <=> $1 < $2 and s.user_key <> all ($3)
                )',
                _vectors
            )
            into _missed
            using nearest_users.query, (select max(d.distance) from unnest(_distances) d (distance)), _keys;
        end if;
    end if;

    return query execute format(
        'select v.user_key, v.user_id, (v.embedding <=> $1) + 0 as distance
        from %I v
        where v.user_id <> all ($3)
            and ($4 or v.user_key in (select u.user_key from filtered_users($5, $6) u))
            and ($7 is null or v.user_key = any ($7))
        order by distance, v.user_id
        limit $2',
        _vectors
    )
    using
        nearest_users.query,
        nearest_users.k,
        nearest_users.leave_out,
        _everybody,
        nearest_users.filter,
        nearest_users.min_entries,
        case when not _missed then _keys end;
end
$$;

comment on function nearest_users(vector, bigint, jsonb, text[], boolean, bigint) is
'Internal. The k users whose vectors are nearest to a vector, by cosine distance, some left out, of those whose
attributes contain a filter and who have min_entries; never fewer than exist. With centered, users are as seen from
the average user, and so should be the vector.
Example: select user_id, distance from nearest_users(embed(''ski enthusiasts''), k => 10);';
