-- Who could be in an audience, ranked.
--
-- A ranking that all may enter is asked for the k best. One that only some may enter is asked for everybody: how far
-- down the k best of them are is not known before.
create function rank_candidates(
    definition jsonb,
    k bigint default null
)
returns table (
    user_id text,
    rank bigint,
    score double precision,
    reasons text[],
    times double precision,
    candidates bigint
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _all_may_enter constant boolean := rank_candidates.definition ?| array['search', 'like_users', 'like_audience']
        and not rank_candidates.definition ?| array['segmentation', 'all_of', 'any_of', 'none_of'];
    _users bigint;
begin
    perform check_foundations(rank_candidates.definition);

    if _all_may_enter and rank_candidates.k is not null then
        return query
        select r.user_id, r.rank, r.score, r.reasons, r.times, n.candidates
        from rank_by_definition(rank_candidates.definition, rank_candidates.k) r
        cross join (
            select count_ranked(p.filter, p.min_entries) as candidates
            from audience_parts(rank_candidates.definition) p
        ) n;
        return;
    end if;

    select count(*) into _users
    from user_vectors;

    if _all_may_enter then
        return query
        select r.user_id, r.rank, r.score, r.reasons, r.times, count(*) over ()
        from rank_by_definition(rank_candidates.definition, _users) r;
    else
        return query
        select r.user_id, row_number() over (order by r.rank), r.score, r.reasons, r.times, count(*) over ()
        from rank_by_definition(rank_candidates.definition, _users) r
        join admissible_users(rank_candidates.definition) e using (user_id);
    end if;
end
$$;

comment on function rank_candidates(jsonb, bigint) is
'Internal. Who could be in an audience of this definition, ranked, not in order: the k best at least, or all; with
how many they are (those whom look-alikes are to be like among them, where these are asked for k).
Example: select user_id, rank, score from rank_candidates(''{"search": "ski enthusiasts", "size": 3}'', k => 5);';
