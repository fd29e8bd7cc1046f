-- Names the segments of a run after the phrases that tell them apart; in a space of attributes, after these.
--
-- A phrase tells a segment apart if it has more of it than any other segment, at least one in twenty of its users have
-- an entry with it, and they are more than among all users. A segment without any such phrase has no theme: it is
-- called after the two of its commonest entries that other segments have the least of, without what is in brackets and,
-- where they are in capitals, in lower case. A name is three phrases; more while another segment has that name, fewer
-- where they get too long. A segment that the run published before had too keeps its name while one of its first three
-- keywords of then is a keyword still.
create procedure name_segments(
    run_id bigint
)
language plpgsql
set search_path from current
as $$
#variable_conflict use_column
declare
    _least_share constant double precision := 0.05;
    _longest constant integer := 60;
    _longest_entry constant integer := 50;
    _bracket constant text := '\s*\([^)]*(\)|$)';
    _of_attributes constant boolean := exists (select from space s where s.model = 'attributes');
    _taken text[];
    _segment record;
    _name text;
begin
    select coalesce(array_agg(lower_case(n.name)), '{}') into _taken
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
            o.has_theme as had_theme,
            coalesce(a.phrases, t.phrases) is not null as has_theme,
            pick_phrases(
                coalesce(
                    a.phrases,
                    t.phrases,
                    array(
                        select case when c.entry = upper(c.entry) then lower_case(c.entry) else c.entry end
                        from (
                            select coalesce(nullif(regexp_replace(e.entry, _bracket, '', 'g'), ''), e.entry), x.lift
                            from run_entries x
                            join entries e using (entry_key)
                            where x.run_id = name_segments.run_id
                                and x.segment_id = s.segment_id
                                and length(e.entry) <= _longest_entry
                            order by x.users desc, x.z_score desc, e.entry collate "C"
                            limit 8
                        ) c (entry, lift)
                        order by c.lift desc, c.entry collate "C"
                    )
                ),
                8
            ) as keywords
        from run_segments s
        join segmentation_runs r using (run_id)
        left join run_segments o on (o.run_id, o.segment_id) = (r.previous_run_id, s.segment_id) and o.name <> ''
        left join (
            select k.segment_id, array_agg(k.phrase order by k.place) as phrases
            from segment_keywords(name_segments.run_id)
                with ordinality k (segment_id, phrase, score, share, lift, place)
            where k.share >= _least_share and k.lift > 1
            group by k.segment_id
        ) t on t.segment_id = s.segment_id
        left join (
            select f.segment_id, array_agg(f.phrase order by f.place) as phrases
            from segment_traits(name_segments.run_id) with ordinality f (segment_id, phrase, score, place)
            where _of_attributes
            group by f.segment_id
        ) a on a.segment_id = s.segment_id
        where s.run_id = name_segments.run_id
        order by s.segment_id
    loop
        select n.name into _name
        from generate_series(1, cardinality(_segment.keywords)) phrases
        cross join lateral array_to_string(_segment.keywords[:phrases], ', ') joined
        cross join lateral (select case when _segment.has_theme then 3 else 2 end) w (wanted)
        cross join lateral concat(
            upper(upper(left(joined, 1) collate "C") collate "default"), substr(joined, 2)
        ) n (name)
        where length(n.name) <= _longest and lower_case(n.name) <> all (_taken)
        order by phrases < w.wanted, abs(phrases - w.wanted)
        limit 1;

        _name := coalesce(
            case
                when _segment.former_keywords && _segment.keywords
                    and _segment.had_theme = _segment.has_theme
                    then _segment.former_name
            end,
            _name,
            concat_ws(' ', coalesce(_segment.keywords[1], 'Segment'), _segment.segment_id)
        );
        _taken := _taken || lower_case(_name);

        update run_segments s
        set name = _name, keywords = _segment.keywords, has_theme = _segment.has_theme
        where (s.run_id, s.segment_id) = (name_segments.run_id, _segment.segment_id);
    end loop;
end
$$;

comment on procedure name_segments(bigint) is
'Internal. Names the segments of a run after the phrases that tell them apart, no two alike, and stores their keywords.
Segments that were in the run published before keep their names while they are about the same.
Example: call name_segments(1);';
