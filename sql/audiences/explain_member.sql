-- Why a user is in an audience, or is not.
create function explain_member(
    audience text,
    user_id text
)
returns table (
    part text,
    holds boolean,
    explanation text
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _definition jsonb;
    _p record;
    _attributes jsonb;
    _entries bigint;
begin
    select a.definition into _definition
    from audiences a
    where a.audience = explain_member.audience;

    if not found then
        perform check_foundations(jsonb_build_object('any_of', array[explain_member.audience]));
    end if;

    select u.attributes into _attributes
    from users u
    where u.user_id = explain_member.user_id;

    if not found then
        raise exception using
            errcode = 'no_data_found',
            message = format('there is no user %L', explain_member.user_id);
    end if;

    select * into _p
    from audience_parts(_definition);

    select v.entries into _entries
    from user_vectors v
    where v.user_id = explain_member.user_id;

    return query
    select
        'member',
        m.user_id is not null,
        coalesce(
            (
                select format('%s on %s: %s', c.change, to_char(c.changed_at, 'YYYY-MM-DD'), c.why)
                from audience_changes c
                where (c.audience, c.user_id) = (explain_member.audience, explain_member.user_id)
                order by c.change_id desc
                limit 1
            ),
            case when m.user_id is null then 'never entered' end
        )
    from audiences a
    left join audience_members m on (m.audience, m.user_id) = (a.audience, explain_member.user_id)
    where a.audience = explain_member.audience;

    return query
    select
        'rank',
        p.user_id is not null,
        case
            when c.user_id is null then 'not among those who could be in it'
            else concat_ws(
                ', ',
                format('rank %s of %s', c.rank, c.candidates),
                'score ' || round(c.score::numeric, 3),
                'of the last one in ' || round(l.score::numeric, 3)
            )
        end
    from (select explain_member.user_id) u (user_id)
    left join (
        select r.user_id, r.rank, r.score, count(*) over () as candidates
        from rank_candidates(_definition) r
    ) c using (user_id)
    left join pick_members(_definition, explain_member.audience) p using (user_id)
    left join (
        select min(p.score) as score
        from pick_members(_definition, explain_member.audience) p
    ) l on true
    where _definition ?| array['search', 'like_users', 'like_audience', 'segmentation', 'all_of', 'any_of'];

    return query
    select 'entries', r.reasons <> '{}' or s.entries is not null, array_to_string(coalesce(s.entries, r.reasons), '; ')
    from rank_by_definition(_definition, (select count(*) from user_vectors)) r
    left join strongest_entries(_definition, array[explain_member.user_id]) s using (user_id)
    where r.user_id = explain_member.user_id
        and _definition ?| array['search', 'like_users', 'like_audience', 'segmentation', 'all_of', 'any_of'];

    return query
    select
        'min_entries',
        coalesce(_entries, 0) >= _p.min_entries,
        format('%s of %s', coalesce(_entries, 0), _p.min_entries)
    where _p.min_entries > 1;

    return query
    select
        'filter',
        _attributes @> stored_filter(_p.filter),
        (
            select coalesce(jsonb_object_agg(a.key, a.value), '{}')::text
            from jsonb_each(_attributes) a
            where _p.filter ? a.key
        )
    where _p.filter <> '{}';

    return query
    select
        'segments',
        coalesce(m.segment_id = any (_p.segments), false),
        coalesce(format('segment %s: %s', m.segment_id, m.segment), 'in none')
    from (select explain_member.user_id) u (user_id)
    left join segment_members m on m.user_id = u.user_id and m.segmentation = _p.segmentation
    where _p.segmentation is not null;

    return query
    select
        n.part,
        (m.user_id is not null) = (n.part <> 'none_of'),
        concat(n.name, ': ', coalesce('rank ' || m.rank, 'not in it'))
    from (
        select 'all_of' as part, unnest(_p.all_of) as name
        union all
        select 'any_of', unnest(_p.any_of)
        union all
        select 'none_of', unnest(_p.none_of)
    ) n
    left join audience_members m on (m.audience, m.user_id) = (n.name, explain_member.user_id);
end
$$;

comment on function explain_member(text, text) is
'Why a user is in an audience or is not: a row for each part of its definition, whether it holds and what it is for
this user as of now, after one that says whether the user is in since the last refresh, and since when. One of any_of
is enough.
Example: select * from explain_member(''skiers'', ''user_ski_only'');';
