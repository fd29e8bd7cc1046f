-- Does one step of a run, if there is something to do, and says what it did.
--
-- A step is due by what is in the space, not by what a run remembers: so a run that was stopped goes on with the next
-- call, and one that finds nothing new does next to nothing. Older vectors under a half-life count for less every day,
-- so that there a refresh is always due.
create procedure run_step(
    step text,
    inout counts jsonb default null
)
language plpgsql
set search_path from current
as $$
#variable_conflict use_column
declare
    _started constant timestamptz := clock_timestamp();
    _segmentation constant text := substring(run_step.step from '^segmentation (.*)$');
    _run_id bigint;
begin
    if run_step.step = 'sync' then
        call sync();
        select jsonb_build_object(
            'rows_read', coalesce(sum(s.rows_read), 0),
            'rows_rejected', coalesce(sum(s.rows_rejected), 0),
            'changes', coalesce(sum(s.changes), 0),
            'faults', count(s.fault)
        )
        into counts
        from sources s;

    elsif run_step.step = 'refresh' then
        if (select f.stale or s.half_life is not null from freshness f cross join space s) then
            call refresh();
        end if;
        select jsonb_build_object('users', count(*), 'refreshed', max(s.refreshed_at) >= _started) into counts
        from space s
        left join user_vectors v on true;

    elsif _segmentation is not null then
        if (
            select max(r.created_at) < max(s.refreshed_at)
            from segmentation_runs r
            cross join space s
            where r.segmentation = _segmentation
        ) then
            call rebuild_segmentation(_segmentation, _run_id);
        end if;
        select jsonb_build_object(
            'run_id', max(r.run_id), 'users_moved', max(r.users_moved), 'published', bool_or(r.published_at is not null)
        )
        into counts
        from segmentation_runs r
        where r.run_id = _run_id;

    elsif run_step.step = 'audiences' then
        call refresh_audiences();
        select jsonb_build_object(
            'refreshed', count(*),
            'entered', coalesce(sum(h.entered), 0),
            'departed', coalesce(sum(h.departed), 0),
            'faults', (select count(a.fault) from audiences a)
        )
        into counts
        from audience_history h
        where h.refreshed_at >= _started;
    end if;
end
$$;

comment on procedure run_step(text, jsonb) is
'Internal. Does one step of a run: sync, refresh, segmentation and a name, or audiences; the result is what it did.
Example: call run_step(''audiences'');';
