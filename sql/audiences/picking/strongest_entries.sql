-- What some users do that points the way of a vector, or that sets their segment apart.
create function strongest_entries(
    definition jsonb,
    user_ids text[]
)
returns table (
    user_id text,
    entries text[]
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _shown constant bigint := 3;
    _p record;
    _user_keys bigint[];
    _entry_keys bigint[];
    _excesses double precision[];
    _run_id bigint;
begin
    select * into _p
    from audience_parts(strongest_entries.definition);

    if num_nonnulls(_p.search, _p.like_users, _p.like_audience) > 0 then
        _user_keys := array(select u.user_key from users u where u.user_id = any (strongest_entries.user_ids));

        if _p.search is not null then
            select e.entry_keys, e.excesses into _entry_keys, _excesses
            from audience_evidence(strongest_entries.definition) e;
        end if;

        return query
        select u.user_id, m.entries
        from matched_entries(
            audience_query(strongest_entries.definition),
            _user_keys,
            _entry_keys,
            _excesses
        ) m
        join users u using (user_key);
    elsif _p.segmentation is not null then
        _run_id := published_run(_p.segmentation);

        return query
        select s.user_id, array_agg(e.entry order by s.z_score desc, e.entry)
        from (
            select
                u.user_id,
                a.entry_key,
                r.z_score,
                row_number() over (partition by u.user_id order by r.z_score desc, a.entry_key) as place
            from users u
            join segment_assignments m on m.user_key = u.user_key and m.run_id = _run_id
            join run_entries r on r.run_id = m.run_id and r.segment_id = m.segment_id
            join activity a on a.user_key = u.user_key and a.entry_key = r.entry_key
            where u.user_id = any (strongest_entries.user_ids) and r.z_score > 0
        ) s
        join entries e using (entry_key)
        where s.place <= _shown
        group by s.user_id;
    end if;
end
$$;

comment on function strongest_entries(jsonb, text[]) is
'Internal. The three entries of each user that speak most for a place in an audience: those of the search, those
nearest to the group of look-alikes by weight times similarity, or those that set the segment apart, by their z_score;
nothing for other audiences, whose ranking says it itself.
Example: select * from strongest_entries(''{"like_users": ["user_ski_only"], "size": 3}'', array[''user_ski_horror_romcom'']);';
