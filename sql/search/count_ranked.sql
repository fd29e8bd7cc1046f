-- How many users a search ranks: all with a vector, or those of them whom a filter and min_entries admit.
create function count_ranked(
    filter jsonb default '{}',
    min_entries bigint default 1
)
returns bigint
language plpgsql
stable
parallel safe
set search_path from current
as $$
begin
    if count_ranked.filter = '{}' and count_ranked.min_entries = 1 then
        return (select coalesce(max(s.users), 0) from user_sample s);
    end if;

    return (
        select count(*)
        from filtered_users(count_ranked.filter, count_ranked.min_entries) f
        join user_vectors v using (user_key)
    );
end
$$;

comment on function count_ranked(jsonb, bigint) is
'Internal. How many users a search with this filter and min_entries ranks, as of the last refresh.
Example: select count_ranked(''{"home": "city"}'');';
