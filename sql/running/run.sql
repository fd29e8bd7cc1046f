-- Brings everything up to date, in order: sources, entry vectors, user vectors, segments, audiences.
--
-- Each step is committed by itself. One session at a time is at the steps: a second one that comes leaves at once, and
-- where it came while entries were embedded, which commits each batch, they take turns and find done what is done.
--
-- A procedure that commits can carry no SET clause: every commit gives the caller's search_path back, and the next
-- statement takes that of the space again.
create procedure run(
    segmentations boolean default true
)
language plpgsql
as $$
declare
    _procedure oid;
    _path text;
    _run bigint;
    _steps text[];
    _step text;
    _counts jsonb;
    _started timestamptz;
    _fault text;
begin
    perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    get diagnostics _procedure = pg_routine_oid;
    select concat(p.pronamespace::regnamespace, ', pg_temp') into _path
    from pg_proc p
    where p.oid = _procedure;

    perform pg_catalog.set_config('search_path', _path, true);
    call require_autocommit(
        'run cannot run in a transaction block: it commits each step',
        'Call it in autocommit mode, as a statement of its own.'
    );
    perform pg_catalog.set_config('search_path', _path, true);

    if not pg_try_advisory_xact_lock(lock_key('run')) then
        raise notice 'another session is at it';
        return;
    end if;

    select coalesce(max(r.run_id), 0) + 1 into _run
    from runs r;

    _steps := array(select 'sync' from space s where s.base is null)
        || array(
            select 'embed'
            from space s
            where exists (select from encoder) or (s.model = 'tfidf' and exists (select from tokens))
        )
        || array['refresh']
        || array(
            select 'segmentation ' || g.segmentation
            from segmentations g
            where run.segmentations
                and exists (select from segmentation_runs r where r.segmentation = g.segmentation)
            order by g.segmentation
        )
        || array['audiences'];

    foreach _step in array _steps loop
        insert into runs (run_id, step)
        values (_run, _step)
        returning started_at into _started;

        commit;
        perform pg_catalog.set_config('search_path', _path, true);
        perform pg_advisory_xact_lock(lock_key('run'));
        _fault := null;
        _counts := null;

        if _step = 'embed' then
            call embed_entries();
            perform pg_catalog.set_config('search_path', _path, true);
            perform pg_advisory_xact_lock(lock_key('run'));

            select jsonb_build_object(
                'embedded', (select count(*) from entry_vectors v where v.embedded_at >= _started),
                'waiting', count(*) filter (where t.refused_at is null),
                'failed', count(t.refused_at)
            )
            into _counts
            from entry_texts t
            where t.is_current is not true;
        else
            call try_step(_step, _counts, _fault);
        end if;

        update runs r
        set finished_at = clock_timestamp(), counts = _counts, fault = _fault
        where r.run_id = _run and r.step = _step;
    end loop;

    commit;
end
$$;

comment on procedure run(boolean) is
'Brings everything up to date that is not: call sync(), embed_entries() where the model is in the space, refresh(), the
segmentations as they were last built (not with segmentations => false), and refresh_audiences(). Each step is committed
by itself and has a row in runs; what a run that was stopped has left undone, the next one does. A second call meanwhile
does nothing. In autocommit mode only.
Example: call run();';
