-- Users as a definition ranks them, whoever may enter.
create function rank_by_definition(
    definition jsonb,
    k bigint
)
returns table (
    user_id text,
    rank bigint,
    score double precision,
    reasons text[],
    times double precision
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _p record;
    _entry_keys bigint[];
    _excesses double precision[];
    _direction vector;
begin
    select * into _p
    from audience_parts(rank_by_definition.definition);

    _direction := judged_direction(_p.judgements_of);

    if _p.search is not null and _direction is not null then
        return query
        select r.user_id, r.rank, r.score, '{}'::text[], r.times
        from rank_sharpened(rank_by_definition.definition, _direction, rank_by_definition.k) r;
    elsif _p.search is not null then
        select e.entry_keys, e.excesses into _entry_keys, _excesses
        from audience_evidence(rank_by_definition.definition) e;

        return query
        select r.user_id, r.ordinality, r.score, '{}'::text[], r.times
        from rank_users(
            audience_query(rank_by_definition.definition),
            _entry_keys,
            _excesses,
            rank_by_definition.k,
            _p.filter,
            _p.mode,
            _p.breadth,
            _p.evidence_weight,
            _p.min_entries,
            _p.padded
        ) with ordinality r;
    elsif num_nonnulls(_p.like_users, _p.like_audience) > 0 then
        return query
        select r.user_id, r.rank, r.similarity, '{}'::text[], null::double precision
        from audience_seeds(rank_by_definition.definition) s
        cross join lateral lookalikes(
            user_ids => s.like_users,
            k => rank_by_definition.k,
            unlike => s.unlike,
            filter => _p.filter,
            centered => _p.centered,
            min_entries => _p.min_entries
        ) r;
    elsif _p.segmentation is not null then
        return query
        select
            u.user_id,
            row_number() over (order by a.similarity desc, u.user_id),
            a.similarity,
            '{}'::text[],
            null::double precision
        from segment_assignments a
        join users u using (user_key)
        where a.run_id = published_run(_p.segmentation) and a.segment_id = any (_p.segments);
    elsif _p.all_of || _p.any_of <> '{}' then
        return query
        select
            s.user_id,
            row_number() over (order by s.score desc, s.user_id),
            s.score,
            s.reasons,
            null::double precision
        from audience_standing(_p.all_of || _p.any_of) s;
    else
        return query
        select
            u.user_id,
            row_number() over (order by u.user_id),
            null::double precision,
            '{}'::text[],
            null::double precision
        from users u;
    end if;
end
$$;

comment on function rank_by_definition(jsonb, bigint) is
'Internal. Users in the order in which a definition of an audience ranks them: the k best of a search or of look-alikes,
among those whom filter and min_entries admit; else all in the segments, in the audiences, or all there are. The reasons
are there only where the ranking is by other audiences; strongest_entries has those of the others; times is
null but for a search with evidence.
Example: select user_id, rank, score from rank_by_definition(''{"search": "ski enthusiasts", "size": 3}'', k => 5);';
