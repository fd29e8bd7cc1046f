-- Adds to entry_stats what has changed since: the table needs no second look at activity.
--
-- The number of users is part of each idf, so that a new user changes all of them.
create procedure update_entry_stats(
    inout idf_changed boolean default null
)
language plpgsql
set search_path from current
as $$
begin
    perform narrow_search_path();

    with logged as (
        delete from changed_entries returning entry_key, users, frequency
    ),
    differences as (
        select l.entry_key, sum(l.users)::bigint as users, sum(l.frequency) as frequency
        from logged l
        group by l.entry_key
    ),
    everybody as (
        select count(*) as users from users
    ),
    sums as materialized (
        select
            entry_key,
            n.users,
            coalesce(s.frequency, 0) + coalesce(d.frequency, 0) as frequency,
            ln(e.users / nullif(n.users, 0)::double precision) as idf,
            s.users is null as is_new,
            s.idf as former_idf
        from entry_stats s
        full join differences d using (entry_key)
        cross join everybody e
        cross join lateral (select coalesce(s.users, 0) + coalesce(d.users, 0) as users) n
    ),
    gone as (
        delete from entry_stats s
        using sums n
        where n.entry_key = s.entry_key and n.users = 0
    ),
    changed as (
        update entry_stats s
        set users = n.users, frequency = n.frequency, idf = n.idf
        from sums n
        where n.entry_key = s.entry_key
            and n.users > 0
            and (s.users, s.frequency, s.idf) is distinct from (n.users, n.frequency, n.idf)
    ),
    added as (
        insert into entry_stats (entry_key, users, frequency, idf)
        select n.entry_key, n.users, n.frequency, n.idf
        from sums n
        where n.is_new and n.users > 0
    )
    select exists (select from sums n where n.idf is distinct from n.former_idf) into idf_changed;
end
$$;

revoke execute on procedure update_entry_stats(boolean) from public;

comment on procedure update_entry_stats(boolean) is
'Internal. In a space of tables, adds changed_entries to entry_stats; says whether the idf of any entry is another one.
Example: call refresh();';
