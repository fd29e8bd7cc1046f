-- Users who match a query vector.
create function search_users(
    query vector,
    k bigint default 20,
    filter jsonb default '{}',
    mode text default 'hybrid',
    breadth double precision default null,
    evidence_weight double precision default null
)
returns table (
    rank bigint,
    user_id text,
    score double precision,
    matched_entries text[]
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _shown_entries constant bigint := 3;
    _entry_keys bigint[];
    _excesses double precision[];
begin
    if search_users.breadth not between 0.5 and 1 then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('breadth is 0.5 to 1, not %s', search_users.breadth);
    end if;
    if search_users.evidence_weight not between 0 and 100 then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('evidence_weight is 0 to 100, not %s', search_users.evidence_weight);
    end if;

    if search_users.mode <> 'mean' then
        select array_agg(a.entry_key), array_agg(a.excess) into _entry_keys, _excesses
        from admitted_entries(search_users.query) a;
    end if;

    return query
    select
        row_number() over (order by r.score desc, r.tie_breaker desc, r.user_id),
        r.user_id,
        r.score,
        case
            when search_users.mode = 'mean' then array(
                select e.entry
                from weighted_activity a
                join entry_vectors v using (entry_key)
                join entries e using (entry_key)
                cross join lateral (
                    select a.weight * (1 - (v.embedding <=> search_users.query)) as strength
                ) s
                where a.user_key = r.user_key and s.strength > 0
                order by s.strength desc, e.entry
                limit _shown_entries
            )
            else array(
                select e.entry
                from unnest(_entry_keys, _excesses) x (entry_key, excess)
                join weighted_activity a using (entry_key)
                join entries e using (entry_key)
                where a.user_key = r.user_key
                order by a.weight * x.excess desc, e.entry
                limit _shown_entries
            )
        end
    from rank_users(
        search_users.query,
        _entry_keys,
        _excesses,
        search_users.k,
        search_users.filter,
        search_users.mode,
        search_users.breadth,
        search_users.evidence_weight
    ) r
    order by r.score desc, r.tie_breaker desc, r.user_id;
end
$$;

comment on function search_users(vector, bigint, jsonb, text, double precision, double precision) is
'Users who match a query vector, best first, by mode hybrid (user vector and evidence), evidence or mean (the cosine of
the user vector); matched_entries are the three entries that speak for it most: those that made the evidence, or by mode
mean those that contribute most to the cosine. breadth and evidence_weight are those of the space unless given.
Example: select * from search_users(embed(''ski enthusiasts'') - embed(''horror fans''), k => 10);';
