-- Names the segments of a run after the phrases that tell them apart.
--
-- Phrases that another segment has more of count only where there are no others; where there are none at all, as in
-- product numbers, whole entries do. A name is three phrases; more while another segment has that name, fewer where
-- they get too long. A segment that the run published before had too keeps its name while one of its first three
-- keywords of then is a keyword still.
create procedure name_segments(
    run_id bigint
)
language plpgsql
set search_path from current
as $$
#variable_conflict use_column
declare
    _longest constant integer := 60;
    _taken text[];
    _segment record;
    _name text;
begin
    select coalesce(array_agg(lower(n.name)), '{}') into _taken
    from segmentation_runs r
    cross join lateral (
        select g.name from segment_names g where g.segmentation = r.segmentation
        union all
        select p.name from run_segments p where p.run_id = r.previous_run_id
    ) n
    where r.run_id = name_segments.run_id;

    for _segment in
        select
            s.segment_id,
            o.name as former_name,
            o.keywords[:3] as former_keywords,
            pick_phrases(
                coalesce(
                    array_agg(p.phrase order by p.place) filter (where p.score > 0),
                    array_agg(p.phrase order by p.place) filter (where p.phrase is not null),
                    array(
                        select e.entry
                        from run_entries x
                        join entries e using (entry_key)
                        where (x.run_id, x.segment_id) = (name_segments.run_id, s.segment_id)
                            and length(e.entry) <= _longest - 10
                        order by x.z_score desc, x.users desc, e.entry
                        limit 8
                    )
                ),
                8
            ) as keywords
        from run_segments s
        join segmentation_runs r using (run_id)
        left join run_segments o on (o.run_id, o.segment_id) = (r.previous_run_id, s.segment_id) and o.name <> ''
        left join segment_phrases(name_segments.run_id) with ordinality p (segment_id, phrase, score, place)
            on p.segment_id = s.segment_id and length(p.phrase) <= _longest - 10
        where s.run_id = name_segments.run_id
        group by s.segment_id, o.name, o.keywords
        order by s.segment_id
    loop
        select n.name into _name
        from generate_series(1, cardinality(_segment.keywords)) phrases
        cross join lateral array_to_string(_segment.keywords[:phrases], ', ') joined
        cross join lateral concat(upper(left(joined, 1)), substr(joined, 2)) n (name)
        where length(n.name) <= _longest and lower(n.name) <> all (_taken)
        order by phrases < 3, abs(phrases - 3)
        limit 1;

        _name := coalesce(
            case when _segment.former_keywords && _segment.keywords then _segment.former_name end,
            _name,
            concat_ws(' ', coalesce(_segment.keywords[1], 'Segment'), _segment.segment_id)
        );
        _taken := _taken || lower(_name);

        update run_segments s
        set name = _name, keywords = _segment.keywords
        where (s.run_id, s.segment_id) = (name_segments.run_id, _segment.segment_id);
    end loop;
end
$$;

comment on procedure name_segments(bigint) is
'Internal. Names the segments of a run after the phrases that tell them apart, no two alike, and stores their keywords.
Segments that were in the run published before keep their names while they are about the same.
Example: call name_segments(1);';
