-- What each entry of a user gives to the evidence of a search.
--
-- The strength is the weight of the entry for the user, over the total weight of the user to the power of breadth. In a
-- space of attributes entries have no weight, and none is there.
create view user_postings_live as
select
    a.user_key,
    a.entry_key,
    (
        coalesce(w.weight, entry_weight(a.frequency, s.weighting) * recency(a.last_at, s.half_life, s.weighted_at))
        / u.weight ^ s.breadth
    )::real as strength
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
where u.weight > 0;

comment on view user_postings_live is
'Internal. What entry_postings_live gathers by entry, computed as you read it.
Example: select entry_key, strength from user_postings_live where user_key = 1 order by strength desc limit 5;';
comment on column user_postings_live.user_key is 'The user.';
comment on column user_postings_live.entry_key is 'An entry of the user.';
comment on column user_postings_live.strength is
'The weight of the entry, over the user''s total weight to the power of space.breadth.';
