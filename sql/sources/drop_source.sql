-- Ends a source. What it has brought in stays, as if it had been loaded, unless it is to go.
create procedure drop_source(
    name text,
    keep boolean default true
)
language plpgsql
set search_path from current
as $$
#variable_conflict use_column
declare
    _source sources;
    _dependent text;
    _changes bigint;
begin
    perform pg_advisory_xact_lock(lock_key('load'));

    select s.* into _source
    from sources s
    where s.source = drop_source.name;

    if not found then
        raise exception using
            errcode = 'no_data_found',
            message = format('there is no source %L', drop_source.name),
            hint = 'See: select source, relation from sources order by source;';
    end if;

    select min(s.source) into _dependent
    from sources s
    where s.entry_source = drop_source.name;

    if _dependent is not null then
        raise exception using
            errcode = 'object_not_in_prerequisite_state',
            message = format('source %L has its entries from it', _dependent),
            hint = format('First: call drop_source(%L);', _dependent);
    end if;

    if not coalesce(drop_source.keep, true) then
        call create_staging();
        if source_kind(_source) = 'activity' then
            call merge_activity(_source, complete => true, changes => _changes);
        else
            call merge_attributes(_source, complete => true, changes => _changes);
        end if;
        call drop_staging();
    end if;

    delete from source_activity a
    where a.source_key = _source.source_key;

    delete from sources s
    where s.source = drop_source.name;
end
$$;

comment on procedure drop_source(text, boolean) is
'Ends a source of the space. What it brought in stays, or goes with keep => false: activity and attributes; users and
entries stay.
Example: call drop_source(''orders'');';
