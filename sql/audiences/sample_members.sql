-- Members of an audience for a person to judge: as many of the best as of the last.
create function sample_members(
    audience text,
    n bigint default 30
)
returns table (
    user_id text,
    place bigint,
    stratum bigint,
    reasons text[],
    top_entries text[],
    attributes jsonb
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _shown constant bigint := 10;
begin
    perform check_foundations(jsonb_build_object('any_of', array[sample_members.audience]));

    if sample_members.n is null or sample_members.n < 1 then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format(
                'n is how many members to draw, 1 or more, not %s',
                coalesce(sample_members.n::text, 'null')
            ),
            hint = 'For example: n => 30';
    end if;

    return query
    with waiting as (
        select s.user_id, s.place, s.stratum, s.draw
        from member_strata(sample_members.audience) s
        where not exists (
            select from audience_judgements j where (j.audience, j.user_id) = (sample_members.audience, s.user_id)
        )
    ),
    drawn as (
        select w.user_id, w.place, w.stratum
        from waiting w
        order by row_number() over (partition by w.stratum order by w.draw), w.stratum
        limit sample_members.n
    )
    select
        d.user_id,
        d.place,
        d.stratum,
        m.reasons,
        array(
            select e.entry
            from users u
            join weighted_activity a using (user_key)
            join entries e using (entry_key)
            where u.user_id = d.user_id
            order by a.weight desc, e.entry
            limit _shown
        ),
        u.attributes
    from drawn d
    join audience_members m on (m.audience, m.user_id) = (sample_members.audience, d.user_id)
    left join users u on u.user_id = d.user_id
    order by d.place;
end
$$;

comment on function sample_members(text, bigint) is
'Members of an audience for a person to judge, at random, as many from each of five strata by rank: what speaks for
them, what they do most, what else is known of them. Who is judged is not drawn again: judge_member keeps the answers.
Example: select user_id, reasons, top_entries from sample_members(''skiers'', n => 2);';
