-- Shows a run of a segmentation to its readers, in the place of the one they see now; an earlier run is a roll-back.
create procedure publish_run(
    run_id bigint,
    as_of timestamptz default null
)
language plpgsql
set search_path from current
set enable_nestloop = off
as $$
#variable_conflict use_column
declare
    _segmentation text;
    _published bigint;
begin
    if publish_run.as_of > clock_timestamp() then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('%s is still to come', publish_run.as_of),
            hint = 'as_of is when readers should have seen the run, for those built after the fact; null is now.';
    end if;

    select r.segmentation into _segmentation
    from segmentation_runs r
    where r.run_id = publish_run.run_id;

    if not found then
        raise exception using
            errcode = 'no_data_found',
            message = format('there is no run %s', coalesce(publish_run.run_id::text, 'null')),
            hint = 'See: select run_id, segmentation, created_at from segmentation_runs order by run_id;';
    end if;

    select s.published_run_id into _published
    from segmentations s
    where s.segmentation = _segmentation
    for no key update;

    if _published = publish_run.run_id then
        raise notice 'run % of % is published already', publish_run.run_id, quote_literal(_segmentation);
        return;
    end if;

    perform hold_users();

    insert into segment_changes (segmentation, run_id, user_id, from_segment_id, to_segment_id)
    select _segmentation, publish_run.run_id, u.user_id, b.segment_id, a.segment_id
    from users u
    left join (select a.* from segment_assignments a where a.run_id = publish_run.run_id) a using (user_key)
    left join (select b.* from segment_assignments b where b.run_id = _published) b using (user_key)
    where a.segment_id is distinct from b.segment_id
    order by user_key;

    update segmentations s
    set published_run_id = publish_run.run_id
    where s.segmentation = _segmentation;

    insert into segment_publications (run_id, published_at)
    values (publish_run.run_id, coalesce(publish_run.as_of, clock_timestamp()));

    update segmentation_runs r
    set published_at = coalesce(publish_run.as_of, clock_timestamp())
    where r.run_id = publish_run.run_id;
end
$$;

comment on procedure publish_run(bigint, timestamptz) is
'Shows a run to readers, all at once, and notes in segment_changes who enters and leaves which segment; an earlier run
rolls back. as_of dates it back in segment_history, for a run of data of then.
Example: call publish_run(1);';
