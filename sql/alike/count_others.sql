-- How many users a group could be compared with.
create function count_others(
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
        where v.user_id <> all ($1)
            and ($2 or v.user_key in (select u.user_key from filtered_users($3, $4) u))',
        user_vector_relation(count_others.centered)
    )
    into _users
    using
        count_others.leave_out,
        count_others.filter = '{}' and count_others.min_entries = 1,
        count_others.filter,
        count_others.min_entries;

    return _users;
end
$$;

comment on function count_others(text[], jsonb, boolean, bigint) is
'Internal. How many users with a vector, centred or not, there are beside some, of those whose attributes contain a
filter and who have min_entries.
Example: select count_others(''{user_ski_only}'', ''{}'', true, 1);';
