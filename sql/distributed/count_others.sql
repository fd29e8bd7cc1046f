-- How many users a group could be compared with, each counted where the user is.
create or replace function count_others(
    leave_out text[],
    filter jsonb,
    centered boolean,
    min_entries bigint
)
returns bigint
language plpgsql
stable
parallel safe
set search_path from current
as $$
declare
    _users bigint;
begin
    execute format(
        'select count(*)
        from %I v
        join users u on u.user_key = v.user_key
        join user_vectors e on e.user_key = v.user_key
        where v.user_id <> all ($1) and u.attributes @> $2 and e.entries >= $3',
        user_vector_relation(count_others.centered)
    )
    into _users
    using count_others.leave_out, stored_filter(count_others.filter), count_others.min_entries;

    return _users;
end
$$;
