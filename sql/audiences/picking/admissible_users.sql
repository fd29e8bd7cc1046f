-- The users who satisfy all that a definition asks of them, whatever their rank.
--
-- All conditions are joins: a subquery behind an 'or' is run for every user anew where it does not fit into work_mem.
create function admissible_users(
    definition jsonb
)
returns table (
    user_key bigint,
    user_id text
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
    _run_id bigint;
begin
    perform check_foundations(admissible_users.definition);

    select * into _p
    from audience_parts(admissible_users.definition);

    if _p.segmentation is not null then
        _run_id := published_run(_p.segmentation);
    end if;

    return query
    select u.user_key, u.user_id
    from users u
    left join segment_assignments s
        on s.run_id = _run_id and s.user_key = u.user_key and s.segment_id = any (_p.segments)
    left join (
        select
            m.user_id,
            count(*) filter (where m.audience = any (_p.all_of)) as all_of,
            count(*) filter (where m.audience = any (_p.any_of)) as any_of,
            count(*) filter (where m.audience = any (_p.none_of)) as none_of
        from audience_members m
        where m.audience = any (_p.all_of || _p.any_of || _p.none_of)
        group by m.user_id
    ) m on m.user_id = u.user_id
    left join user_vectors v on v.user_key = u.user_key
    where (_p.filter = '{}' or u.attributes @> (select stored_filter(_p.filter)))
        and (_run_id is null or s.user_key is not null)
        and (_p.all_of = '{}' or m.all_of = cardinality(_p.all_of))
        and (_p.any_of = '{}' or m.any_of > 0)
        and (_p.none_of = '{}' or coalesce(m.none_of, 0) = 0)
        and (_p.min_entries = 1 or v.entries >= _p.min_entries);
end
$$;

comment on function admissible_users(jsonb) is
'Internal. The users who satisfy all that a definition of an audience asks: filter, segments, all_of, any_of, none_of,
min_entries.
Example: select count(*) from admissible_users(''{"filter": {"home": "city"}}'');';
