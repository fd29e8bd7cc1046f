-- The k users who match a query vector best, by one of three scores.
create function rank_users(
    query vector,
    entry_keys bigint[],
    excesses double precision[],
    k bigint,
    filter jsonb,
    mode text,
    breadth double precision,
    evidence_weight double precision
)
returns table (
    user_key bigint,
    user_id text,
    score double precision,
    tie_breaker double precision
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _evidence_weight constant double precision := coalesce(
        rank_users.evidence_weight,
        (select s.evidence_weight from space s)
    );
begin
    perform check_query(rank_users.query, rank_users.k);

    if rank_users.mode = 'mean' then
        return query
        select n.user_key, n.user_id, 1 - n.distance, 0.0::double precision
        from nearest_users(rank_users.query, rank_users.k, rank_users.filter) n;
    elsif rank_users.mode in ('evidence', 'hybrid') then
        return query
        select s.user_key, s.user_id, r.score, s.cosine
        from score_users(
            rank_users.query,
            rank_users.entry_keys,
            rank_users.excesses,
            rank_users.k,
            rank_users.filter,
            rank_users.breadth
        ) s
        cross join lateral (
            select case rank_users.mode
                when 'evidence' then s.evidence
                else coalesce((s.cosine - s.cosine_mean) / s.cosine_deviation, 0)
                    + _evidence_weight * coalesce((s.evidence - s.evidence_mean) / s.evidence_deviation, 0)
            end as score
        ) r
        order by r.score desc, s.cosine desc, s.user_id
        limit rank_users.k;
    else
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('there is no search mode %L', rank_users.mode),
            hint = 'Use: mode => ''hybrid'', ''evidence'' or ''mean''';
    end if;
end
$$;

comment on function rank_users(vector, bigint[], double precision[], bigint, jsonb, text, double precision, double precision) is
'Internal. The k users who match a query vector best, not in order, given the entries that are evidence for it, with
their excess: by mode mean the score is the cosine of the user vector; by evidence it is that of user_evidence; by
hybrid it is z(cosine) + evidence_weight * z(evidence), where z is the distance from the mean in standard deviations, 0
where nothing deviates.
Example: select user_id, score
from rank_users(embed(''ski enthusiasts''), ''{1, 2}'', ''{0.3, 0.1}'', 10, ''{}'', ''hybrid'', null, null);';
