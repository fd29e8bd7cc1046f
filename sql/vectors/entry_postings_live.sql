-- The inverted index of search: for every entry its users, and what each gives to the evidence.
--
-- Arrays make it compact, and cheap to read for the few hundred entries that a query admits.
create view entry_postings_live as
select
    p.entry_key,
    array_agg(p.user_key) as user_keys,
    array_agg(p.strength) as strengths
from user_postings_live p
group by p.entry_key;

comment on view entry_postings_live is
'Internal. The definition of entry_postings, computed as you read it.
Example: select entry_key, cardinality(user_keys) from entry_postings_live limit 5;';
comment on column entry_postings_live.entry_key is 'The entry.';
comment on column entry_postings_live.user_keys is 'The users who have it.';
comment on column entry_postings_live.strengths is
'For each of them the weight of the entry, over the user''s total weight to the power of space.breadth.';
