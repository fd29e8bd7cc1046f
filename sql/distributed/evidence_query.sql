-- The query by which every machine adds up what some entries say of its users: user_evidence and rank_users run it.
--
-- There are no postings: activity is read where it is, by its index on entries.
create function evidence_query()
returns text
language sql
immutable
parallel safe
begin atomic
    select format(
        'select p.user_key, sum(p.amount) - %s * max(p.amount) as evidence
        from (
            select
                a.user_key,
                x.excess * (
                    coalesce(
                        w.weight,
                        entry_weight(a.frequency, s.weighting) * recency(a.last_at, s.half_life, s.weighted_at)
                    )
                    / v.weight ^ $3
                )::real as amount
            from activity a
            join unnest($1, $2) x (entry_key, excess) on x.entry_key = a.entry_key
            cross join reference_policies s
            join user_vectors v on v.user_key = a.user_key
            left join common_weights w
                on w.frequency = a.frequency and w.weighting = s.weighting and s.half_life is null
            where v.weight > 0
        ) p
        group by p.user_key',
        1 - c.strongest
    )
    from search_constants() c;
end;

comment on function evidence_query() is
'Internal. In a distributed space, the text of a query for the evidence of every user who has one of the entries $1,
whose excesses are $2, at the breadth $3.
Example: select evidence_query();';
