-- What each entry of a user adds to the user's match with a query vector.
--
-- What user_evidence takes off for the strongest entry is shared among all of them, so that their order stays.
create function explain_match(
    user_id text,
    query vector
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
    _space space%rowtype;
    _user_key bigint;
    _length double precision;
    _weight double precision;
    _entry_keys bigint[];
    _excesses double precision[];
    _usual record;
begin
    select s.* into _space
    from space s;

    select u.user_key into _user_key
    from users u
    where u.user_id = explain_match.user_id;

    if not found then
        raise exception using
            errcode = 'no_data_found',
            message = format('there is no user %L', explain_match.user_id);
    end if;

    select vector_norm(sum(scale(v.embedding, a.weight))), sum(a.weight) into _length, _weight
    from weighted_activity a
    join entry_vectors v using (entry_key)
    where a.user_key = _user_key;

    if _length is null then
        raise exception using
            errcode = 'object_not_in_prerequisite_state',
            message = format('no entry of user %L has a vector yet', explain_match.user_id),
            hint = 'Run, in a shell: pgaudience embed';
    end if;

    select array_agg(a.entry_key), array_agg(a.excess) into _entry_keys, _excesses
    from admitted_entries(explain_match.query) a;

    select s.cosine_mean, s.cosine_deviation, s.evidence_mean, s.evidence_deviation into _usual
    from score_users(explain_match.query, _entry_keys, _excesses, k => 1) s
    limit 1;

    return query
    select p.entry, p.frequency, p.weight, p.similarity, p.contribution, p.mean_part, p.evidence_part
    from (
        select
            false as is_constant,
            e.entry,
            a.frequency,
            a.weight,
            s.similarity,
            c.contribution,
            coalesce(c.contribution / _usual.cosine_deviation, 0) as mean_part,
            coalesce(
                _space.evidence_weight / _usual.evidence_deviation
                    * c.evidence * (1 - 0.25 * max(c.evidence) over () / sum(c.evidence) over ())
                    / _weight ^ _space.breadth,
                0
            ) as evidence_part
        from weighted_activity a
        join entry_vectors v using (entry_key)
        join entries e using (entry_key)
        left join unnest(_entry_keys, _excesses) x (entry_key, excess) using (entry_key)
        cross join lateral (select 1 - (v.embedding <=> explain_match.query) as similarity) s
        cross join lateral (
            select a.weight * s.similarity / nullif(_length, 0) as contribution, a.weight * x.excess as evidence
        ) c
        where a.user_key = _user_key
        union all
        select
            true,
            '(all users)',
            0,
            0,
            0,
            0,
            coalesce(-_usual.cosine_mean / _usual.cosine_deviation, 0),
            coalesce(-_space.evidence_weight * _usual.evidence_mean / _usual.evidence_deviation, 0)
    ) p
    order by p.is_constant, p.contribution desc, p.entry;
end
$$;

comment on function explain_match(text, vector) is
'What each embedded entry of a user adds to the user''s match with a query vector: contribution sums to the cosine,
mean_part and evidence_part together to the score of a hybrid search. The last row, (all users), has what the means of all
users take from both, the same for everybody.
Example: select * from explain_match(''user_ski_only'', embed(''ski enthusiasts'') - embed(''horror fans''));';
