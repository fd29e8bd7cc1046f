-- The published run of a segmentation, if it has a segment of that number.
create function published_segment(
    segmentation text,
    segment_id bigint
)
returns bigint
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _run_id constant bigint := published_run(published_segment.segmentation);
begin
    if not exists (
        select from run_segments s where (s.run_id, s.segment_id) = (_run_id, published_segment.segment_id)
    ) then
        raise exception using
            errcode = 'no_data_found',
            message = format(
                'there is no segment %s in %L',
                coalesce(published_segment.segment_id::text, 'null'),
                published_segment.segmentation
            ),
            hint = (
                select 'There are: ' || string_agg(s.segment_id::text, ', ' order by s.segment_id)
                from run_segments s
                where s.run_id = _run_id
            );
    end if;

    return _run_id;
end
$$;

comment on function published_segment(text, bigint) is
'Internal. The published run of a segmentation; raises P0002 when it has no segment of that number.
Example: select published_segment(''interests'', 1);';
