-- The profile of every user: the weighted sum of the vectors of their entries, at unit length; in a space of
-- attributes, what these add up to; a vector of the user that was made elsewhere stands for that.
--
-- Weights that common_weights does not hold, because they are rare, fade, or it is not refreshed yet, are computed row
-- by row. max() tells the planner that there is one weighting, so that it joins in memory and in parallel.
create view user_vectors_live as
with profiles as (
    select
        a.user_key,
        count(*) as entries,
        sum(a.frequency) as frequency,
        sum(a.frequency) filter (where v.entry_key is not null) / sum(a.frequency) as coverage,
        sum(coalesce(
            w.weight,
            entry_weight(a.frequency, s.weighting) * recency(a.last_at, s.half_life, s.weighted_at)
        )) filter (where v.entry_key is not null) as weight,
        sum(coalesce(
            v.embedding * w.weights,
            scale(
                v.embedding,
                entry_weight(a.frequency, s.weighting) * recency(a.last_at, s.half_life, s.weighted_at)
            )
        )) as direction
    from activity a
    cross join (
        select
            max(weighting) as weighting,
            max(half_life) as half_life,
            coalesce(max(weighted_at), now()) as weighted_at
        from space
    ) s
    left join entry_vectors v using (entry_key)
    left join common_weights w
        on w.frequency = a.frequency and w.weighting = s.weighting and s.half_life is null
    group by a.user_key
    having count(v.entry_key) > 0
)
select
    p.user_key,
    u.user_id,
    p.entries,
    p.frequency,
    p.coverage,
    p.weight,
    (row(l2_normalize(p.direction))::user_vector).embedding
from profiles p
join users u using (user_key)
where not cancels_out(p.direction, p.weight)
    and not exists (select from given_user_vectors g where g.user_key = p.user_key)
union all
select
    p.user_key,
    u.user_id,
    p.entries,
    p.frequency,
    0,
    0,
    (row(l2_normalize(p.direction))::user_vector).embedding
from (
    select * from attribute_profiles
    union all
    select * from given_profiles
) p
join users u using (user_key);

comment on view user_vectors_live is
'Internal. The definition of user_vectors, computed as you read it.
Example: select * from user_vectors_live where user_id = ''user_ski_only'';';
comment on column user_vectors_live.user_key is 'The user.';
comment on column user_vectors_live.user_id is 'The id your own systems use.';
comment on column user_vectors_live.entries is 'How many distinct entries the user has.';
comment on column user_vectors_live.frequency is 'Their frequencies, added up.';
comment on column user_vectors_live.coverage is 'The share of that frequency, 0 to 1, whose entries have a vector.';
comment on column user_vectors_live.weight is 'The weights of the entries that have a vector, added up.';
comment on column user_vectors_live.embedding is
'Sum of weight times entry vector, or of what attributes add, or a vector made elsewhere; of unit length.';
