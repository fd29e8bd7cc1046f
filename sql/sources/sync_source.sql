-- Brings one source in: all of it, or what is new by its cursor. Where a user id is written in several ways, or a key
-- stands for another entry than before, what is new would be a part of what has changed, so that all is read.
create procedure sync_source(
    name text,
    complete boolean
)
language plpgsql
set search_path from current
set timezone = 'UTC'
set datestyle = 'ISO, YMD'
set intervalstyle = 'postgres'
as $$
#variable_conflict use_column
declare
    _started constant timestamptz := clock_timestamp();
    _s sources;
    _complete boolean;
    _have_moved boolean;
    _rejected bigint;
    _changes bigint := 0;
begin
    select s.* into _s
    from sources s
    where s.source = sync_source.name;

    perform check_source(_s);
    _complete := coalesce(sync_source.complete, false)
        or _s.cursor_column is null
        or _s.position is null
        or _s.has_variants;

    loop
        call create_staging();
        call stage_source(_s, _complete);
        call settle_users();
        call settle_items(_s, _have_moved);
        _s.has_variants := exists (select from pg_temp.staged_users u where u.raw <> u.user_id and u.reason is null);
        exit when _complete or source_kind(_s) <> 'activity' or not (_s.has_variants or _have_moved);
        call drop_staging();
        _complete := true;
    end loop;

    -- The keys are there now: statistics that know of none have the joins that follow nested.
    analyze pg_temp.staged_users;
    analyze pg_temp.staged_items;

    call count_rejects(_s, _complete, _rejected);

    if source_kind(_s) = 'activity' then
        call merge_activity(_s, _complete, _changes);
    else
        call merge_attributes(_s, _complete, _changes);
    end if;

    update sources s
    set
        position = coalesce(
            (
                select case column_kind(_s.relation, _s.cursor_column)
                    when 'time' then (timestamptz 'epoch' + max(r.latest) * interval '1 second')::text
                    else max(r.latest)::text
                end
                from pg_temp.staged_rows r
            ),
            s.position
        ),
        has_variants = _s.has_variants,
        synced_at = _started,
        complete = _complete,
        rows_read = (select coalesce(sum(r.rows), 0) from pg_temp.staged_rows r),
        rows_rejected = _rejected,
        changes = _changes,
        seconds = extract(epoch from clock_timestamp() - _started),
        fault = null
    where s.source = sync_source.name;

    call drop_staging();
end
$$;

comment on procedure sync_source(text, boolean) is
'Internal. Brings one source in; sync calls it.
Example: call sync_source(''products'', complete => false);';
