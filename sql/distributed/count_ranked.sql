-- How many users a search ranks, each counted where the user is.
create or replace function count_ranked(
    filter jsonb default '{}',
    min_entries bigint default 1
)
returns bigint
language plpgsql
stable
parallel safe
set search_path from current
as $$
declare
    _filter jsonb;
begin
    if count_ranked.filter = '{}' and count_ranked.min_entries = 1 then
        return (select coalesce(max(s.users), 0) from user_sample s);
    end if;

    _filter := stored_filter(count_ranked.filter);

    return (
        select count(*)
        from user_vectors v
        join users u on u.user_key = v.user_key
        where u.attributes @> _filter and v.entries >= count_ranked.min_entries
    );
end
$$;
