-- Gives segments the ids and the names of those in another space over the same people whose users they have.
--
-- Published runs are matched, as a rebuild matches its segments to those before; all other runs are renumbered with
-- them. A segment that continues none keeps its id if nobody has it there, so that to continue twice changes nothing;
-- else it gets one that was never given. Names that a person or a chat model has given here stay.
create procedure continue_segments(
    of_space text
)
language plpgsql
set search_path from current
set enable_nestloop = off
as $$
#variable_conflict use_column
declare
    _segmentation text;
    _run_id bigint;
    _last_id bigint;
    _published bigint[];
    _matched bigint[];
    _there record;
    _ids bigint[];
begin
    for _segmentation, _run_id, _last_id in
        select s.segmentation, s.published_run_id, s.last_segment_id
        from segmentations s
        where s.published_run_id is not null
        order by s.segmentation
        for update
    loop
        execute format(
            'select
                s.published_run_id as run_id,
                s.last_segment_id as last_id,
                s.suppress_below,
                array(
                    select distinct g.segment_id
                    from %1$I.run_segments g
                    join %1$I.segmentation_runs r using (run_id)
                    where r.segmentation = s.segmentation
                ) as ids
            from %1$I.segmentations s
            where s.segmentation = $1',
            continue_segments.of_space
        )
        into _there
        using _segmentation;

        continue when _there.run_id is null;

        _published := array(select s.segment_id from run_segments s where s.run_id = _run_id order by s.segment_id);

        execute format(
            'select %1$I.match_segments(
                $1, array_agg(o.cluster), array_agg(o.segment_id), array_agg(o.users),
                array_fill(null::vector, array[cardinality($2)])
            )
            from (
                select array_position($2, a.segment_id) as cluster, b.segment_id, count(*) as users
                from segment_assignments a
                join %1$I.segment_assignments b using (user_key)
                where a.run_id = $3 and b.run_id = $1
                group by 1, 2
            ) o',
            continue_segments.of_space
        )
        into _matched
        using _there.run_id, _published, _run_id;

        with known as (
            select i.id, _matched[array_position(_published, i.id)] as matched
            from generate_series(1, _last_id) i (id)
        ),
        kept as (
            select
                k.id,
                coalesce(k.matched, case when k.id <> all (_there.ids || array_remove(_matched, null)) then k.id end)
                    as new_id
            from known k
        )
        select array_agg(n.id order by n.place) into _ids
        from (
            select
                k.id as place,
                coalesce(
                    k.new_id,
                    greatest(_last_id, _there.last_id) + count(*) filter (where k.new_id is null) over (order by k.id)
                ) as id
            from kept k
        ) n;

        update segmentations s
        set
            last_segment_id = greatest(_there.last_id, (select max(i.id) from unnest(_ids) i (id))),
            suppress_below = greatest(s.suppress_below, _there.suppress_below)
        where s.segmentation = _segmentation;

        call renumber_segments(_segmentation, _ids);

        execute format(
            'insert into segment_names (segmentation, segment_id, name, named_by, named_at, model)
            select n.segmentation, n.segment_id, n.name, n.named_by, n.named_at, n.model
            from %1$I.segment_names n
            where n.segmentation = $1 and n.segment_id = any ($2)
            on conflict do nothing',
            continue_segments.of_space
        )
        using _segmentation, _matched;

        execute format(
            'update run_segments s
            set name = p.name
            from %1$I.run_segments p
            where s.run_id = $1
                and p.run_id = $2
                and p.segment_id = s.segment_id
                and p.name <> ''''
                and p.has_theme = s.has_theme
                and not exists (
                    select
                    from run_segments o
                    where o.run_id = $1
                        and o.segment_id <> all (array_remove($3, null))
                        and lower_case(o.name) = lower_case(p.name)
                )',
            continue_segments.of_space
        )
        using _run_id, _there.run_id, _matched;
    end loop;
end
$$;

comment on procedure continue_segments(text) is
'Internal. Gives the segments here the ids and the names of those in another space over the same people whose users
they have, where both have a published segmentation of one name.
Example: call continue_segments(current_schema());';
