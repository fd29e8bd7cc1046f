-- The k users who match a query vector best: of every machine its k best, of these the best.
--
-- Each machine adds up the evidence of its users twice: to sums over all users, which make the factors of the score,
-- and to scores.
create or replace function rank_users(
    query vector,
    entry_keys bigint[],
    excesses double precision[],
    k bigint,
    filter jsonb,
    mode text,
    breadth double precision,
    evidence_weight double precision,
    min_entries bigint,
    padded boolean
)
returns table (
    user_key bigint,
    user_id text,
    score double precision,
    cosine double precision,
    evidence double precision,
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
    _breadth constant double precision := coalesce(rank_users.breadth, (select s.breadth from space s));
    _sum double precision;
    _squares double precision;
    _factors record;
    _usual_evidence double precision;
    _filter jsonb;
begin
    perform check_query(rank_users.query);
    perform check_k(rank_users.k);
    perform check_filter(rank_users.filter);
    perform check_search(rank_users.mode, rank_users.breadth, rank_users.evidence_weight, rank_users.padded);
    perform check_min_entries(rank_users.min_entries);
    _filter := stored_filter(rank_users.filter);

    if rank_users.mode = 'mean' then
        return query
        select n.user_key, n.user_id, 1 - n.distance, 1 - n.distance, null::double precision, null::double precision
        from nearest_users(
            rank_users.query,
            rank_users.k,
            rank_users.filter,
            min_entries => rank_users.min_entries
        ) n;
        return;
    end if;
    if rank_users.k = 0 then
        return;
    end if;

    perform user_vector_relation(centered => false);

    select e.evidence_sum, e.evidence_squares into _sum, _squares
    from user_evidence(rank_users.entry_keys, rank_users.excesses, rank_users.breadth) e;

    _factors := score_factors(rank_users.query, _sum, _squares, rank_users.mode, rank_users.evidence_weight);
    _usual_evidence := _sum / nullif(count_ranked(), 0);

    return query execute format(
        'select r.user_key, r.user_id, r.score, r.cosine, r.evidence, r.evidence / $9
        from (
            select
                v.user_key,
                v.user_id,
                $5 * (c.cosine - $6) + $7 * (c.evidence - $8) as score,
                c.cosine,
                c.evidence
            from user_vectors v
            %s join (%s) e on e.user_key = v.user_key and e.evidence > 0
            %s
            cross join lateral (
                select 1 - (v.embedding <=> $4) as cosine, coalesce(e.evidence, 0) as evidence
            ) c
            where v.entries >= $12
        ) r
        order by r.score desc, r.cosine desc, r.user_id
        limit $10',
        case when rank_users.padded then 'left' end,
        evidence_query(),
        case when rank_users.filter <> '{}' then 'join users u on u.user_key = v.user_key and u.attributes @> $11' end
    )
    using
        rank_users.entry_keys,
        rank_users.excesses,
        _breadth,
        rank_users.query,
        _factors.cosine_factor,
        _factors.cosine_mean,
        _factors.evidence_factor,
        _factors.evidence_mean,
        nullif(_usual_evidence, 0),
        rank_users.k,
        _filter,
        rank_users.min_entries;
end
$$;
