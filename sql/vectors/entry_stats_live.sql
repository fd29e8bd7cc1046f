-- How many users an entry has, how rare that makes it, and how often it occurs in all.
create view entry_stats_live as
select
    a.entry_key,
    count(*) as users,
    sum(a.frequency) as frequency,
    ln(u.users / count(*)::double precision) as idf,
    ln(u.users / count(*)::double precision) as settled_idf
from activity a
cross join (select count(*) as users from users) u
group by a.entry_key, u.users;

comment on view entry_stats_live is
'Internal. The definition of entry_stats, computed as you read it.
Example: select * from entry_stats_live order by users desc limit 10;';
comment on column entry_stats_live.entry_key is 'The entry.';
comment on column entry_stats_live.users is 'How many users have it.';
comment on column entry_stats_live.frequency is 'How often it occurs over all users.';
comment on column entry_stats_live.idf is
'Inverse document frequency: ln(users / users who have it), 0 if all have it.';
comment on column entry_stats_live.settled_idf is 'The same, before it settles.';
