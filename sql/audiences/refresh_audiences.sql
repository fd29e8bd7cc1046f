-- Brings all audiences that are stale up to date: readers see all of it at once, or nothing.
--
-- An audience stands on fewer audiences than any that stands on it, so the order of their number is one in which each
-- comes after those it needs. What cannot be computed stays as it was, with the fault noted, and does not keep the
-- others.
create procedure refresh_audiences()
language plpgsql
set search_path from current
as $$
#variable_conflict use_column
declare
    _application constant text := current_setting('application_name');
    _name text;
    _definition jsonb;
    _hint text;
begin
    perform lock_audiences();

    for _name, _definition in
        select a.audience, a.definition
        from audiences a
        order by cardinality(audience_foundations(a.definition)), a.audience
    loop
        continue when (
            select a.fault is null and a.inputs = audience_inputs(_definition)
            from audiences a
            where a.audience = _name
        );

        perform report_progress(format('audience %s', _name), silent => true);
        begin
            call update_audience(_name);
        exception
            when invalid_parameter_value or no_data_found or object_not_in_prerequisite_state then
                get stacked diagnostics _hint = pg_exception_hint;
                update audiences a
                set fault = sqlerrm
                where a.audience = _name;
                raise warning using
                    message = format('audience %L stays as it was: %s', _name, sqlerrm),
                    hint = _hint;
        end;
    end loop;

    perform set_config('application_name', _application, true);
end
$$;

comment on procedure refresh_audiences() is
'Brings every audience up to date whose definition, data, segments, attributes or underlying audiences have changed
since; the others are left alone. Readers are not blocked, and see all audiences as before or all as they are now. An
audience that cannot be computed, because a segment or an audience it needs is gone, stays as it was, and
audiences.fault says why.
Example: call refresh_audiences();';
