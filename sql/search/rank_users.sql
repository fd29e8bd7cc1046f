-- The k users who match a query vector best.
--
-- Of the users without evidence, the k nearest by their vector are enough: nobody else can come before all of them. A
-- user who is not among these and has evidence has a cosine of at most theirs, and so comes before the k-th best of
-- some users only by so much evidence (the bound of the threshold algorithm: Fagin, Lotem, Naor 2003). All who have
-- that are scored.
create function rank_users(
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
    _shortlist constant bigint := (select greatest(c.shortlist, rank_users.k) from search_constants() c);
    _slack constant double precision := 1e-9;
    _everybody constant boolean := rank_users.filter = '{}' and rank_users.min_entries = 1;
    _found record;
    _factors record;
    _nearest bigint[];
    _cosine double precision;
    _least_evidence double precision;
    _score double precision;
    _usual_evidence double precision;
begin
    perform check_query(rank_users.query);
    perform check_k(rank_users.k);
    perform check_filter(rank_users.filter);
    perform check_search(rank_users.mode, rank_users.breadth, rank_users.evidence_weight, rank_users.padded);
    perform check_min_entries(rank_users.min_entries);

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

    _found := user_evidence(rank_users.entry_keys, rank_users.excesses, rank_users.breadth);
    if not _everybody then
        select array_agg(e.user_key), array_agg(e.evidence) into _found.user_keys, _found.evidence
        from unnest(_found.user_keys, _found.evidence) e (user_key, evidence)
        where e.user_key in (select u.user_key from filtered_users(rank_users.filter, rank_users.min_entries) u);
    end if;

    _factors := score_factors(
        rank_users.query,
        _found.evidence_sum,
        _found.evidence_squares,
        rank_users.mode,
        rank_users.evidence_weight
    );

    if _factors.cosine_factor > 0
        or (rank_users.padded and coalesce(cardinality(_found.user_keys), 0) < rank_users.k) then
        select array_agg(n.user_key), 1 - max(n.distance) into _nearest, _cosine
        from nearest_users(
            rank_users.query,
            rank_users.k,
            rank_users.filter,
            min_entries => rank_users.min_entries
        ) n;
    end if;

    select e.evidence into _least_evidence
    from unnest(_found.evidence) e (evidence)
    order by e.evidence desc
    offset _shortlist - 1
    limit 1;

    if _least_evidence is not null then
        select r.score into _score
        from candidate_users(rank_users.query, _nearest, _found.user_keys, _found.evidence, _least_evidence) c
        cross join lateral (
            select _factors.cosine_factor * (c.cosine - _factors.cosine_mean)
                + _factors.evidence_factor * (c.evidence - _factors.evidence_mean) as score
        ) r
        where rank_users.padded or c.evidence > 0
        order by r.score desc
        offset rank_users.k - 1
        limit 1;

        _score := _score - _factors.cosine_factor * (coalesce(_cosine, 0) - _factors.cosine_mean);
        _least_evidence := case
            when _factors.evidence_factor > 0
                then _factors.evidence_mean + _score / _factors.evidence_factor - _slack
            when _score > 0 then 'infinity'
            else '-infinity'
        end;
    end if;

    _usual_evidence := _found.evidence_sum / nullif(count_ranked(), 0);

    return query
    select c.user_key, c.user_id, r.score, c.cosine, c.evidence, c.evidence / nullif(_usual_evidence, 0)
    from candidate_users(
        rank_users.query,
        _nearest,
        _found.user_keys,
        _found.evidence,
        coalesce(_least_evidence, '-infinity')
    ) c
    cross join lateral (
        select _factors.cosine_factor * (c.cosine - _factors.cosine_mean)
            + _factors.evidence_factor * (c.evidence - _factors.evidence_mean) as score
    ) r
    where rank_users.padded or c.evidence > 0
    order by r.score desc, c.cosine desc, c.user_id
    limit rank_users.k;
end
$$;

comment on function rank_users(
    vector, bigint[], double precision[], bigint, jsonb, text, double precision, double precision, bigint, boolean
) is
'Internal. The k users who match a query vector best, best first, given the entries that are evidence for it, with
their excess: their score (score_factors), the cosine of their vector, which breaks ties, their evidence
(user_evidence), and how many times that of an average user it is, both null by mode mean. Not padded, users without
evidence are left out.
Example: select user_id, score
from rank_users(embed(''ski enthusiasts''), ''{1, 2}'', ''{0.3, 0.1}'', 10, ''{}'', ''hybrid'', null, null, 1, true);';
