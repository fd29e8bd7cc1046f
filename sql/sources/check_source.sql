-- Stops a source that cannot be read: what it names must be there, of types that mean something, for whoever asks.
create function check_source(
    source sources
)
returns void
language plpgsql
stable
parallel safe
set search_path from current
as $$
declare
    _s constant sources := check_source.source;
    _kind constant text := source_kind(_s);
    _columns constant text[] := array[
        _s.user_column, _s.entry_column, _s.entry_key_column, _s.frequency_column, _s.time_column, _s.cursor_column
    ] || _s.attributes;
    _unreadable text;
    _fault record;
begin
    if to_regclass(_s.relation) is null then
        raise exception using
            errcode = 'undefined_object',
            message = format('there is no table or view %s', _s.relation),
            hint = 'Name it with its schema, as in ''public.order_lines''.';
    elsif not pg_has_role(_s.added_by, current_user, 'usage') then
        raise exception using
            errcode = 'insufficient_privilege',
            message = format('source %L was added by %I, who may do less than %I', _s.source, _s.added_by, current_user),
            hint = format('If you trust it, add it again yourself: call add_source(%L, …);', _s.relation);
    end if;

    perform column_kind(_s.relation, c.name)
    from unnest(_columns) c (name);

    select string_agg(quote_ident(c.name), ', ') into _unreadable
    from unnest(_columns) c (name)
    where c.name is not null and not has_column_privilege(to_regclass(_s.relation), c.name, 'select');

    if _unreadable is not null then
        raise exception using
            errcode = 'insufficient_privilege',
            message = format('%I may not read %s of %s', current_user, _unreadable, _s.relation),
            hint = format('Ask its owner for: grant select on %s to %I;', _s.relation, current_user);
    end if;

    select f.message, f.hint into _fault
    from (
        values
            (num_nonnulls(_s.user_column, _s.entry_column, _s.entry_key_column) = 0, 'a source of neither users nor entries',
                'Give user_column, or entry_column, or both.'),
            (_kind = 'activity' and _s.attributes <> '{}', 'attributes belong to users or to entries, not to what they do',
                'Add another source of the table where they are, with user_column or entry_column alone.'),
            (_kind = 'users' and _s.attributes = '{}', 'a source of users has attributes',
                'For example: attributes => array[''country'']; or give entry_column, if it says what they did.'),
            (_kind = 'entries' and _s.attributes = '{}' and _s.entry_key_column is null,
                'a source of entries has attributes, or keys',
                'For example: attributes => array[''category''], or entry_key_column => ''product_id''.'),
            (_kind <> 'activity' and num_nonnulls(_s.frequency_column, _s.time_column) > 0,
                'frequency_column and time_column go with user_column and entry_column', 'Leave them out.'),
            (_s.entry_source is not null and (_kind <> 'activity' or _s.entry_key_column is null
                    or _s.entry_column is not null),
                'entry_source goes with user_column and entry_key_column, and without entry_column',
                'The source of entries has their texts.'),
            (_s.entry_source is null and _s.entry_key_column is not null and _s.entry_column is null,
                'entry_key_column says which entry it is, but not its text',
                'Give entry_column too, or as entry_source the name of a source of entries with these keys.'),
            (_s.entry_source is not null and not exists (
                    select
                    from sources e
                    where e.source = _s.entry_source
                        and source_kind(e) = 'entries'
                        and e.entry_key_column is not null
                ),
                format('%L is not a source of entries with keys', _s.entry_source),
                'Add it first, with entry_key_column and entry_column.'),
            (column_kind(_s.relation, _s.frequency_column) not in ('integer', 'number'),
                format('%L is no column of numbers', _s.frequency_column), 'Make a view of it in which it is.'),
            (column_kind(_s.relation, _s.time_column) <> 'time',
                format('%L is no column of times', _s.time_column),
                'A time is a timestamp, with or without time zone, or a date: make a view of it in which it is.'),
            (column_kind(_s.relation, _s.cursor_column) not in ('integer', 'time'),
                format('%L is no cursor', _s.cursor_column),
                'A cursor is a timestamp, a date or an integer that grows with every row that is new or changed.'),
            (_s.overlap is not null and _s.cursor_column is null, 'overlap goes with cursor_column', 'Leave it out.'),
            (column_kind(_s.relation, _s.cursor_column) = 'time'
                and coalesce(not pg_input_is_valid(_s.overlap, 'interval'), false),
                format('overlap is an interval, not %s', _s.overlap), 'For example: overlap => ''1 hour'''),
            (column_kind(_s.relation, _s.cursor_column) = 'integer'
                and coalesce(not pg_input_is_valid(_s.overlap, 'bigint'), false),
                format('overlap is a whole number, not %s', _s.overlap), 'For example: overlap => ''1000'''),
            (_s.overlap like '%-%', 'overlap is not negative', 'For example: overlap => ''1 hour'''),
            (cardinality(_s.attributes) <> (select count(distinct a) from unnest(_s.attributes) a),
                'attributes names a column twice, or null', 'Name each once.')
    ) f (wrong, message, hint)
    where f.wrong
    limit 1;

    if found then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = _fault.message,
            hint = _fault.hint;
    end if;
end
$$;

comment on function check_source(sources) is
'Internal. Raises an error unless this source can be read by the current role.
Example: select check_source(s) from sources s;';
