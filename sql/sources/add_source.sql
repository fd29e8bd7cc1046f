-- Keeps what a source is. Its name may exist: then it is another source from now on, and the next sync reads all of it.
create procedure add_source(
    relation text,
    user_column text default null,
    entry_column text default null,
    frequency_column text default null,
    time_column text default null,
    attributes text[] default '{}',
    cursor_column text default null,
    overlap text default null,
    entry_key_column text default null,
    entry_source text default null,
    name text default null
)
language plpgsql
set search_path from current
as $$
#variable_conflict use_column
declare
    _parts text[];
    _relation regclass;
    _source sources;
    _fault record;
begin
    perform check_base('Add it there: call %I.add_source(…);');

    _parts := parse_ident(coalesce(add_source.relation, ''));

    if cardinality(_parts) <= 2 then
        _relation := to_regclass(add_source.relation);
    end if;

    select
        format('%I.%I', n.nspname, c.relname) as relation,
        c.relkind not in ('r', 'v', 'm', 'f', 'p') as is_other,
        c.relpersistence = 't' as is_temporary,
        n.nspname = current_schema() as is_own
    into _fault
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.oid = _relation;

    if _fault.is_other or _fault.is_temporary or _fault.is_own then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('%s cannot be a source', _fault.relation),
            hint = 'A source is a table, a view or a foreign table that lasts, outside the space.';
    end if;

    _source.relation := coalesce(_fault.relation, quote_ident(add_source.relation));
    _source.source := normalize_text(coalesce(add_source.name, _source.relation));
    _source.user_column := add_source.user_column;
    _source.entry_column := add_source.entry_column;
    _source.entry_key_column := add_source.entry_key_column;
    _source.entry_source := add_source.entry_source;
    _source.frequency_column := add_source.frequency_column;
    _source.time_column := add_source.time_column;
    _source.cursor_column := add_source.cursor_column;
    _source.overlap := add_source.overlap;
    _source.attributes := coalesce(add_source.attributes, '{}');
    _source.added_by := current_user;

    perform check_source(_source);

    if _source.source = '' then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = 'the name of the source is blank',
            hint = 'For example: name => ''orders''';
    end if;

    perform pg_advisory_xact_lock(lock_key('load'));

    select o.source, a.name into _fault
    from sources o
    cross join lateral unnest(o.attributes) a (name)
    where source_kind(o) = source_kind(_source)
        and o.source <> _source.source
        and a.name = any (_source.attributes)
    limit 1;

    if found then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('the attribute %L comes from source %L', _fault.name, _fault.source),
            hint = 'An attribute has one source: make a view of both tables, or of one with another name.';
    elsif exists (
        select
        from sources s
        where s.source = _source.source and source_kind(s) <> source_kind(_source)
    ) then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('%L is a source of another kind', _source.source),
            hint = format('Give another name, or first: call drop_source(%L);', _source.source);
    end if;

    insert into sources as s (
        source, relation, user_column, entry_column, entry_key_column, entry_source, frequency_column, time_column,
        cursor_column, overlap, attributes
    )
    values (
        _source.source, _source.relation, _source.user_column, _source.entry_column, _source.entry_key_column,
        _source.entry_source, _source.frequency_column, _source.time_column, _source.cursor_column, _source.overlap,
        _source.attributes
    )
    on conflict (source) do update
    set relation = excluded.relation,
        user_column = excluded.user_column,
        entry_column = excluded.entry_column,
        entry_key_column = excluded.entry_key_column,
        entry_source = excluded.entry_source,
        frequency_column = excluded.frequency_column,
        time_column = excluded.time_column,
        cursor_column = excluded.cursor_column,
        overlap = excluded.overlap,
        attributes = excluded.attributes,
        added_at = now(),
        position = null,
        has_variants = false;
end
$$;

comment on procedure add_source(text, text, text, text, text, text[], text, text, text, text, text) is
'Makes a table, view or foreign table of this database a source of the space, for sync() to keep it in step with. With
user_column and entry_column it says who did what: frequency_column how often, time_column when. With one of them alone
it has attributes of users or of entries. cursor_column grows with every row that is new or changed, so that a sync
reads only those, and once more what lies within overlap before (1 hour, or 1000); without one, all is compared. By
entry_key_column an entry stays the same when its text changes; entry_source is the source of entries whose keys these
are. A name that exists becomes this source.
Example: call add_source(''public.orders'', user_column => ''customer'', entry_column => ''product'');';
