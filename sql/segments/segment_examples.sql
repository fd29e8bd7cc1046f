-- Members of a segment to read: those most of its kind, and those on its border.
create function segment_examples(
    segmentation text,
    segment_id bigint,
    k bigint default 5
)
returns table (
    kind text,
    user_id text,
    similarity double precision,
    margin double precision,
    top_entries text[]
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _run_id constant bigint := published_segment(segment_examples.segmentation, segment_examples.segment_id);
begin
    if segment_examples.k is null or segment_examples.k < 0 then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('k is how many users to show, not %s', coalesce(segment_examples.k::text, 'null'));
    end if;

    return query
    with examples as materialized (
        (
            select 1 as part, 'typical' as kind, m.user_key, u.user_id, m.similarity, m.margin
            from segment_assignments m
            join users u on u.user_key = m.user_key
            where m.run_id = _run_id and m.segment_id = segment_examples.segment_id
            order by m.similarity desc, u.user_id
            limit segment_examples.k
        )
        union all
        (
            select 2 as part, 'borderline' as kind, m.user_key, u.user_id, m.similarity, m.margin
            from segment_assignments m
            join users u on u.user_key = m.user_key
            where m.run_id = _run_id and m.segment_id = segment_examples.segment_id and m.margin is not null
            order by m.margin, u.user_id
            limit segment_examples.k
        )
    ),
    held as materialized (
        select a.user_key, a.entry_key, a.frequency
        from activity a
        where a.user_key in (select x.user_key from examples x)
    )
    select
        x.kind,
        x.user_id,
        x.similarity,
        x.margin,
        array(
            select e.entry
            from held h
            join entries e on e.entry_key = h.entry_key
            where h.user_key = x.user_key
            order by h.frequency desc, e.entry
            limit 5
        )
    from examples x
    order by x.part, case x.part when 1 then -x.similarity else x.margin end, x.user_id;
end
$$;

comment on function segment_examples(text, bigint, bigint) is
'Members of a segment to read, with their five most frequent entries: the k most typical (the highest similarity), and
the k most borderline (the lowest margin to another segment).
Example: select * from segment_examples(''interests'', 1, k => 3);';
