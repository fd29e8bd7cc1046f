-- Kept copy of entry_stats_live.
create materialized view entry_stats as
select * from entry_stats_live;

-- Made anew, they are as of now.
delete from changed_entries;

create unique index entry_stats_entry_key on entry_stats (entry_key);

comment on materialized view entry_stats is
'Users and frequency of every entry, as of the last refresh.
Example: select entry, users from entries join entry_stats using (entry_key) order by users desc limit 10;';
comment on column entry_stats.entry_key is 'The entry.';
comment on column entry_stats.users is 'How many users have it.';
comment on column entry_stats.frequency is 'How often it occurs over all users.';
comment on column entry_stats.idf is 'Inverse document frequency: ln(users / users who have it), 0 if all have it.';
comment on column entry_stats.settled_idf is
'The idf that entry_lengths go by: in a space of tables that of when it last moved by a twentieth, else idf.';
