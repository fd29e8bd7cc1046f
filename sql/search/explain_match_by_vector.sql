-- What each entry of a user adds to the user's match with a query vector.
--
-- What user_evidence takes off for the strongest entry is shared among all of them, so that their order stays.
create function explain_match(
    user_id text,
    query vector,
    mode text default 'hybrid',
    breadth double precision default null,
    evidence_weight double precision default null
)
returns table (
    entry text,
    frequency double precision,
    weight double precision,
    similarity double precision,
    contribution double precision,
    mean_part double precision,
    evidence_part double precision
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _strongest constant double precision := (select c.strongest from search_constants() c);
    _breadth constant double precision := coalesce(explain_match.breadth, (select s.breadth from space s));
    _user_key bigint;
    _length double precision;
    _weight double precision;
    _cancels_out boolean;
    _entry_keys bigint[];
    _excesses double precision[];
    _factors record;
begin
    perform check_query(explain_match.query);
    perform check_search(explain_match.mode, explain_match.breadth, explain_match.evidence_weight);
    perform check_made_of_entries(explain_match.user_id);

    select u.user_key into _user_key
    from users u
    where u.user_id = explain_match.user_id;

    select s.weight, vector_norm(s.direction), cancels_out(s.direction, s.weight) into _weight, _length, _cancels_out
    from (
        with held as materialized (
            select a.entry_key, a.weight from weighted_activity a where a.user_key = _user_key
        )
        select sum(a.weight) as weight, sum(scale(v.embedding, a.weight)) as direction
        from held a
        join entry_vectors v using (entry_key)
    ) s;

    if coalesce(_cancels_out, true) then
        perform check_user(explain_match.user_id);
    end if;

    if explain_match.mode <> 'mean' then
        select array_agg(a.entry_key), array_agg(a.excess) into _entry_keys, _excesses
        from admitted_entries(explain_match.query) a;
    end if;

    select f.* into _factors
    from user_evidence(_entry_keys, _excesses, explain_match.breadth) e
    cross join lateral score_factors(
        explain_match.query,
        e.evidence_sum,
        e.evidence_squares,
        explain_match.mode,
        explain_match.evidence_weight
    ) f;

    return query
    with held as materialized (
        select a.entry_key, a.frequency, a.weight from weighted_activity a where a.user_key = _user_key
    )
    select p.entry, p.frequency, p.weight, p.similarity, p.contribution, p.mean_part, p.evidence_part
    from (
        select
            false as is_constant,
            e.entry,
            a.frequency,
            a.weight,
            s.similarity,
            c.contribution,
            _factors.cosine_factor * c.contribution as mean_part,
            _factors.evidence_factor * coalesce(
                c.evidence
                    * (1 - (1 - _strongest) * max(c.evidence) over () / sum(c.evidence) over ())
                    / _weight ^ _breadth,
                0
            ) as evidence_part
        from held a
        join entry_vectors v using (entry_key)
        join entries e using (entry_key)
        left join unnest(_entry_keys, _excesses) x (entry_key, excess) using (entry_key)
        cross join lateral (select 1 - (v.embedding <=> explain_match.query) as similarity) s
        cross join lateral (
            select a.weight * s.similarity / _length as contribution, a.weight * x.excess as evidence
        ) c
        union all
        select
            true,
            '(all users)',
            0,
            0,
            0,
            0,
            -_factors.cosine_factor * _factors.cosine_mean,
            -_factors.evidence_factor * _factors.evidence_mean
    ) p
    order by p.is_constant, p.contribution desc, p.entry;
end
$$;

comment on function explain_match(text, vector, text, double precision, double precision) is
'What each embedded entry of a user adds to the user''s match with a query vector: contribution sums to the cosine,
mean_part and evidence_part together to the score of a search with the same mode, breadth and evidence_weight. The
last row, (all users), has what the means of all users take from both, the same for everybody.
Example: select * from explain_match(''user_ski_only'', embed(''ski enthusiasts'') - embed(''horror fans''));';
