-- The profile of every user, computed where the user's activity is.
create or replace view user_vectors_live as
select
    p.user_key,
    u.user_id,
    p.entries,
    p.frequency,
    p.coverage,
    p.weight,
    (row(l2_normalize(p.direction))::user_vector).embedding
from (
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
    cross join reference_policies s
    left join reference_vectors v on v.entry_key = a.entry_key
    left join common_weights w
        on w.frequency = a.frequency and w.weighting = s.weighting and s.half_life is null
    group by a.user_key
    having count(v.entry_key) > 0
) p
join users u on u.user_key = p.user_key
where not cancels_out(p.direction, p.weight);
