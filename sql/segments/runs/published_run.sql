-- The run of a segmentation that readers see.
create function published_run(
    segmentation text
)
returns bigint
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _run_id bigint;
begin
    select s.published_run_id into _run_id
    from segmentations s
    where s.segmentation = published_run.segmentation;

    if not found then
        raise exception using
            errcode = 'no_data_found',
            message = format('there is no segmentation %L', published_run.segmentation),
            hint = coalesce(
                (select 'There are: ' || string_agg(s.segmentation, ', ' order by s.segmentation) from segmentations s),
                format('Build it: call build_segmentation(%L);', published_run.segmentation)
            );
    end if;
    if _run_id is null then
        raise exception using
            errcode = 'object_not_in_prerequisite_state',
            message = format('no run of segmentation %L is published', published_run.segmentation),
            hint = coalesce(
                (
                    select format('Publish the latest: call publish_run(%s);', max(r.run_id))
                    from segmentation_runs r
                    where r.segmentation = published_run.segmentation
                    having count(*) > 0
                ),
                format('Build it: call build_segmentation(%L);', published_run.segmentation)
            );
    end if;

    return _run_id;
end
$$;

comment on function published_run(text) is
'Internal. The run_id of a segmentation that the views of segments show; an error if there is none.
Example: select published_run(''interests'');';
