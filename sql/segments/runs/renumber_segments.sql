-- Gives the segments of a segmentation other ids, in all of its runs and wherever else they are named.
--
-- Where an id is part of a key it is negative in between, so that two segments may exchange theirs.
create procedure renumber_segments(
    segmentation text,
    ids bigint[]
)
language plpgsql
set search_path from current
set enable_nestloop = off
as $$
#variable_conflict use_column
begin
    if renumber_segments.ids = array(select generate_series(1::bigint, cardinality(renumber_segments.ids))) then
        return;
    end if;

    update run_segments s
    set segment_id = -s.segment_id, nearest_segment_id = renumber_segments.ids[s.nearest_segment_id]
    from segmentation_runs r
    where r.run_id = s.run_id and r.segmentation = renumber_segments.segmentation;

    update run_segments s
    set segment_id = renumber_segments.ids[-s.segment_id]
    where s.segment_id < 0;

    update segment_names n
    set segment_id = -n.segment_id
    where n.segmentation = renumber_segments.segmentation;

    update segment_names n
    set segment_id = renumber_segments.ids[-n.segment_id]
    where n.segment_id < 0;

    update segment_descriptions d
    set segment_id = -d.segment_id
    where d.segmentation = renumber_segments.segmentation;

    update segment_descriptions d
    set segment_id = renumber_segments.ids[-d.segment_id]
    where d.segment_id < 0;

    update segment_assignments a
    set
        segment_id = renumber_segments.ids[a.segment_id],
        runner_up_id = renumber_segments.ids[a.runner_up_id]
    from segmentation_runs r
    where r.run_id = a.run_id
        and r.segmentation = renumber_segments.segmentation
        and (
            renumber_segments.ids[a.segment_id] <> a.segment_id
            or renumber_segments.ids[a.runner_up_id] <> a.runner_up_id
        );

    update run_tree t
    set segment_id = renumber_segments.ids[t.segment_id]
    from segmentation_runs r
    where r.run_id = t.run_id and r.segmentation = renumber_segments.segmentation and t.segment_id is not null;

    update segment_lineage l
    set
        segment_id = renumber_segments.ids[l.segment_id],
        previous_segment_id = renumber_segments.ids[l.previous_segment_id]
    from segmentation_runs r
    where r.run_id = l.run_id and r.segmentation = renumber_segments.segmentation;

    update segment_changes c
    set
        from_segment_id = renumber_segments.ids[c.from_segment_id],
        to_segment_id = renumber_segments.ids[c.to_segment_id]
    where c.segmentation = renumber_segments.segmentation;

    update audiences a
    set definition = jsonb_set(
        a.definition,
        '{segments}',
        (
            select jsonb_agg(renumber_segments.ids[s.id::bigint] order by s.place)
            from jsonb_array_elements_text(a.definition -> 'segments') with ordinality s (id, place)
        )
    )
    where a.definition ->> 'segmentation' = renumber_segments.segmentation and a.definition ? 'segments';
end
$$;

comment on procedure renumber_segments(text, bigint[]) is
'Internal. Gives the segments 1, 2, … of a segmentation these ids, no two the same, wherever they are named.
Example: call renumber_segments(''interests'', ''{1, 2, 3}'');';
