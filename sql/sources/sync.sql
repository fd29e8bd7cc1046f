-- Brings all sources in, in one transaction: first entries, since keys of activity stand for them.
create procedure sync(
    complete boolean default false
)
language plpgsql
set search_path from current
as $$
#variable_conflict use_column
declare
    _application constant text := current_setting('application_name');
    _name text;
    _hint text;
begin
    perform check_base('Bring them in there: call %I.sync();');

    perform pg_advisory_xact_lock(lock_key('load'));

    for _name in
        select s.source
        from sources s
        order by array_position(array['entries', 'users', 'activity'], source_kind(s)), s.source
    loop
        perform report_progress(format('source %s', _name), silent => true);
        begin
            call sync_source(_name, sync.complete);
        exception
            when data_exception or undefined_object or undefined_table or undefined_column or undefined_function
                or datatype_mismatch or insufficient_privilege or no_data_found or raise_exception or fdw_error
                or connection_exception or cardinality_violation or object_not_in_prerequisite_state then
                get stacked diagnostics _hint = pg_exception_hint;
                update sources s
                set fault = sqlerrm
                where s.source = _name;
                raise warning using
                    message = format('source %L stays as it was: %s', _name, sqlerrm),
                    hint = _hint;
        end;
    end loop;

    perform set_config('application_name', _application, true);
end
$$;

comment on procedure sync(boolean) is
'Brings in what is new, changed or deleted in the sources of the space. By a cursor, rows that were deleted are missed:
complete => true compares all. Rows that cannot be used are counted in source_rejects; a source that cannot be read
stays as it was, and sources.fault says why. What was loaded is not touched. Then embed what is new, and call refresh();
Example: call sync();';
