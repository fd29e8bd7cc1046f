-- The users that a question is about: those of a filter, with enough entries.
create function filtered_users(
    filter jsonb,
    min_entries bigint
)
returns table (
    user_key bigint
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
begin
    if filtered_users.filter = '{}' then
        return query
        select v.user_key
        from user_vectors v
        where v.entries >= filtered_users.min_entries;
    else
        return query
        select u.user_key
        from users u
        where u.attributes @> (select stored_filter(filtered_users.filter))
            and (
                filtered_users.min_entries <= 1
                or u.user_key in (
                    select v.user_key
                    from user_vectors v
                    where v.entries >= filtered_users.min_entries
                )
            );
    end if;
end
$$;

comment on function filtered_users(jsonb, bigint) is
'Internal. The users whose attributes contain a filter and who have at least so many distinct entries, as of the last
refresh.
Example: select count(*) from filtered_users(filter => ''{}'', min_entries => 8);';
