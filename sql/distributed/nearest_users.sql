-- The k users nearest to a vector: of every machine its k nearest, of these the nearest.
--
-- Who is admitted is decided where the user is; '+ 0' keeps an index away, which would answer nearly.
create or replace function nearest_users(
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
as $$
#variable_conflict use_column
declare
    _filter jsonb;
begin
    perform check_query(nearest_users.query);
    perform check_k(nearest_users.k);
    perform check_filter(nearest_users.filter);
    perform check_min_entries(nearest_users.min_entries);
    _filter := stored_filter(nearest_users.filter);

    return query execute format(
        'select v.user_key, v.user_id, (v.embedding <=> $1) + 0 as distance
        from %I v %s %s
        where v.user_id <> all ($3)
        order by distance, v.user_id
        limit $2',
        user_vector_relation(nearest_users.centered),
        case
            when nearest_users.filter <> '{}'
                then 'join users u on u.user_key = v.user_key and u.attributes @> $4'
        end,
        case
            when nearest_users.min_entries > 1
                then 'join user_vectors e on e.user_key = v.user_key and e.entries >= $5'
        end
    )
    using
        nearest_users.query,
        nearest_users.k,
        nearest_users.leave_out,
        _filter,
        nearest_users.min_entries;
end
$$;
