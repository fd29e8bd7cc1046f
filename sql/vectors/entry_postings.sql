-- Kept copy of entry_postings_live.
create materialized view entry_postings as
select * from entry_postings_live;

-- Made anew, they are of everybody as of now.
delete from late_postings;
delete from late_users;

create unique index entry_postings_entry_key on entry_postings (entry_key);

comment on materialized view entry_postings is
'Internal. The users of every entry and how strongly it speaks for each, as of the last refresh; what a search by
evidence reads.
Example: select entry_key, cardinality(user_keys) from entry_postings limit 5;';
comment on column entry_postings.entry_key is 'The entry.';
comment on column entry_postings.user_keys is 'The users who have it.';
comment on column entry_postings.strengths is
'For each of them the weight of the entry, over the user''s total weight to the power of space.breadth.';
