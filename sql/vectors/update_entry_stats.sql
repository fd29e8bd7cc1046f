-- Adds to entry_stats what has changed since: the table needs no second look at activity.
--
-- The number of users is part of each idf, so that a new user changes all of them, and each idf is part of how long
-- nearly all users are. So the idf that entry_lengths go by stays until it has moved by a twentieth.
create procedure update_entry_stats(
    inout entry_keys bigint[] default null
)
language plpgsql
set search_path from current
as $$
declare
    _little constant double precision := 0.05;
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
            i.idf,
            case
                when i.idf > 0 and i.idf between s.settled_idf / (1 + _little) and s.settled_idf * (1 + _little)
                    then s.settled_idf
                else i.idf
            end as settled_idf,
            s.users is null as is_new,
            s.settled_idf as former_idf
        from entry_stats s
        full join differences d using (entry_key)
        cross join everybody e
        cross join lateral (select coalesce(s.users, 0) + coalesce(d.users, 0) as users) n
        cross join lateral (select ln(e.users / nullif(n.users, 0)::double precision) as idf) i
    ),
    gone as (
        delete from entry_stats s
        using sums n
        where n.entry_key = s.entry_key and n.users = 0
    ),
    changed as (
        update entry_stats s
        set users = n.users, frequency = n.frequency, idf = n.idf, settled_idf = n.settled_idf
        from sums n
        where n.entry_key = s.entry_key
            and n.users > 0
            and (s.users, s.frequency, s.idf, s.settled_idf)
                is distinct from (n.users, n.frequency, n.idf, n.settled_idf)
    ),
    added as (
        insert into entry_stats (entry_key, users, frequency, idf, settled_idf)
        select n.entry_key, n.users, n.frequency, n.idf, n.settled_idf
        from sums n
        where n.is_new and n.users > 0
    )
    select array_agg(n.entry_key) into entry_keys
    from sums n
    where n.settled_idf is distinct from n.former_idf;
end
$$;

revoke execute on procedure update_entry_stats(bigint[]) from public;

comment on procedure update_entry_stats(bigint[]) is
'Internal. In a space of tables, adds changed_entries to entry_stats; gives the entries whose settled_idf has
changed.
Example: call refresh();';
