-- Who belongs to an audience of some definition: the best of its candidates, as many as it shall have.
--
-- Members do not flicker: the cut is where the size says, but a member stays until ranked behind it by more than the
-- share keep, and somebody else comes in when ranked before it by more than that, or when there is room. (Indexes of
-- stocks are kept so, with a buffer zone, as FTSE Russell describes in the ground rules of its UK index series.)
create function pick_members(
    definition jsonb,
    audience text default null,
    beyond bigint default 0
)
returns table (
    user_id text,
    rank bigint,
    score double precision,
    reasons text[],
    is_member boolean,
    percentile double precision,
    times double precision
)
language plpgsql
stable
parallel safe
set search_path from current
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
declare
    _p record;
    _keep double precision;
begin
    select * into _p
    from audience_parts(pick_members.definition);

    _keep := case when pick_members.audience is null then 0 else _p.keep end;

    return query
    with candidates as materialized (
        select c.user_id, c.rank, c.score, c.reasons, c.times, c.candidates
        from rank_candidates(pick_members.definition, ceil(_p.size * (1 + _keep))::bigint + pick_members.beyond) c
    ),
    cut as (
        select case
            when _p.size is not null then _p.size
            when _p.share is not null then ceil(_p.share * max(c.candidates))::bigint
            when _p.min_score is not null then count(*) filter (where c.score >= _p.min_score)
            else count(*)
        end as members
        from candidates c
    ),
    placed as (
        select
            c.user_id,
            c.rank,
            c.score,
            c.reasons,
            c.times,
            case when c.score is not null then rank_percentile(c.rank, c.candidates) end as percentile,
            t.members,
            row_number() over (
                order by
                    case
                        when c.rank <= t.members * (1 - _keep) then 1
                        when m.user_id is not null and c.rank <= t.members * (1 + _keep) then 2
                        else 3
                    end,
                    c.rank
            ) as place,
            m.user_id is not null and c.rank <= t.members * (1 + _keep) as stays
        from candidates c
        cross join cut t
        left join audience_members m on m.audience = pick_members.audience and m.user_id = c.user_id
    ),
    picked as materialized (
        select
            p.user_id,
            p.rank,
            p.score,
            p.reasons,
            p.percentile,
            p.times,
            case
                when _p.min_score is null then p.place <= p.members
                else p.rank <= p.members or p.stays
            end as is_member
        from placed p
        where p.rank <= p.members * (1 + _keep) + pick_members.beyond or p.place <= p.members
    )
    select p.user_id, p.rank, p.score, coalesce(s.entries, p.reasons), p.is_member, p.percentile, p.times
    from picked p
    left join strongest_entries(
        pick_members.definition,
        array(select p.user_id from picked p where p.is_member or pick_members.beyond > 0)
    ) s using (user_id)
    where p.is_member or pick_members.beyond > 0;
end
$$;

comment on function pick_members(jsonb, text, bigint) is
'Internal. Who belongs to an audience of this definition, with as many beyond the last one as asked for. If the name of
the audience is given, its members stay in as keep says.
Example: select user_id, rank, score from pick_members(''{"search": "ski enthusiasts", "size": 3}'') order by rank;';
