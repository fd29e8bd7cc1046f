-- The inverted index of search: for every entry its users, and what each gives to the evidence.
--
-- The strength is the weight of the entry for the user, over the total weight of the user to the power of breadth.
-- Arrays make it compact, and cheap to read for the few hundred entries that a query admits. In a space of attributes
-- entries have no weight, and none is there.
create view entry_postings_live as
select
    a.entry_key,
    array_agg(a.user_key) as user_keys,
    array_agg((
        coalesce(w.weight, entry_weight(a.frequency, s.weighting) * recency(a.last_at, s.half_life, s.weighted_at))
        / u.weight ^ s.breadth
    )::real) as strengths
from activity a
cross join (
    select
        max(weighting) as weighting,
        max(breadth) as breadth,
        max(half_life) as half_life,
        coalesce(max(weighted_at), now()) as weighted_at
    from space
) s
join user_vectors u using (user_key)
left join common_weights w
    on w.frequency = a.frequency and w.weighting = s.weighting and s.half_life is null
where u.weight > 0
group by a.entry_key;

comment on view entry_postings_live is
'Internal. The definition of entry_postings, computed as you read it.
Example: select entry_key, cardinality(user_keys) from entry_postings_live limit 5;';
comment on column entry_postings_live.entry_key is 'The entry.';
comment on column entry_postings_live.user_keys is 'The users who have it.';
comment on column entry_postings_live.strengths is
'For each of them the weight of the entry, over the user''s total weight to the power of space.breadth.';
