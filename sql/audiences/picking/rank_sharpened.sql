-- Users as a search ranks them, sharpened by whom somebody has judged.
--
-- The score is that of the search and half the likeness to the judged, both in standard deviations from the mean of all
-- who are ranked: what did best on real labels (benchmarks/judging/sharpened.py). So all of them are, whatever k is.
create function rank_sharpened(
    definition jsonb,
    direction vector,
    k bigint
)
returns table (
    user_id text,
    rank bigint,
    score double precision,
    times double precision
)
language plpgsql
stable
parallel safe
set search_path from current
set jit = off
as $$
#variable_conflict use_column
declare
    _likeness_weight constant double precision := 0.5;
    _p record;
    _entry_keys bigint[];
    _excesses double precision[];
begin
    select * into _p
    from audience_parts(rank_sharpened.definition);

    select e.entry_keys, e.excesses into _entry_keys, _excesses
    from audience_evidence(rank_sharpened.definition) e;

    return query execute format(
        'select s.user_id, row_number() over (order by s.score desc, s.user_id), s.score, s.times
        from (
            select
                r.user_id,
                coalesce((r.score - avg(r.score) over everybody) / nullif(stddev_pop(r.score) over everybody, 0), 0)
                    + $1 * coalesce(
                        (r.cosine - avg(r.cosine) over everybody) / nullif(stddev_pop(r.cosine) over everybody, 0), 0
                    ) as score,
                r.times
            from (
                select r.user_key, r.user_id, r.score, r.times, 1 - (v.embedding <=> $2) as cosine
                from rank_users($3, $4, $5, (select count(*) from user_vectors), $6, $7, $8, $9, $10, $11) r
                join %I v using (user_key)
            ) r
            window everybody as (order by r.user_key rows between unbounded preceding and unbounded following)
        ) s
        order by s.score desc, s.user_id
        limit $12',
        user_vector_relation(true)
    )
    using
        _likeness_weight,
        rank_sharpened.direction,
        audience_query(rank_sharpened.definition),
        _entry_keys,
        _excesses,
        _p.filter,
        _p.mode,
        _p.breadth,
        _p.evidence_weight,
        _p.min_entries,
        _p.padded,
        rank_sharpened.k;
end
$$;

comment on function rank_sharpened(jsonb, vector, bigint) is
'Internal. The k best by the search of a definition together with their likeness to a direction (judged_direction): the
score of the search plus half the cosine of the user, as seen from the average one, both in standard deviations.
Example: select user_id, score
from rank_sharpened(''{"search": "ski enthusiasts", "size": 3}'', group_vector(array[''user_ski_only'']), k => 5);';
