-- The query that reads a source: all of it, or what is new by its cursor, or by what its keys stand for.
--
-- Of activity, what is new says whose: all rows of these users are read, and what the source says of them is replaced.
-- So no row counts twice, however often it is read. Names are those of the catalog, quoted; nothing else that somebody
-- has written becomes SQL.
create function source_statement(
    source sources,
    complete boolean
)
returns text
language plpgsql
stable
parallel safe
set search_path from current
as $$
declare
    _s constant sources := source_statement.source;
    _kind constant text := source_kind(_s);
    _cursor_kind constant text := column_kind(_s.relation, _s.cursor_column);
    _user constant text := coalesce('(s.' || quote_ident(_s.user_column) || ')', 'null');
    _text constant text := coalesce('(s.' || quote_ident(_s.entry_column) || ')', 'null');
    _item constant text := coalesce('(s.' || quote_ident(_s.entry_key_column) || ')', _text);
    _frequency constant text := coalesce('(s.' || quote_ident(_s.frequency_column) || ')', '1');
    _time constant text := coalesce('(s.' || quote_ident(_s.time_column) || ')', 'null');
    _cursor constant text := coalesce('(s.' || quote_ident(_s.cursor_column) || ')', 'null');
    _latest text;
    _new text;
    _attributes text;
    _rows text;
begin
    _latest := case _cursor_kind
        when 'time' then format('case when %1$s <= now() then extract(epoch from %1$s) end', _cursor)
        when 'integer' then format('%s::numeric', _cursor)
        else 'null'
    end;

    if not source_statement.complete then
        _new := format(
            case _cursor_kind
                when 'time' then '(%1$s >= %2$L::timestamptz - %3$L::interval or %1$s is null)'
                else '(%1$s >= greatest(%2$L::numeric - %3$L::numeric, -9223372036854775808)::bigint or %1$s is null)'
            end,
            _cursor,
            _s.position,
            coalesce(_s.overlap, case _cursor_kind when 'time' then '1 hour' else '1000' end)
        );

        if exists (
            select
            from source_entries e
            join sources k using (source_key)
            where k.source = _s.entry_source and e.pointed_at > _s.synced_at
        ) then
            _new := format(
                '(%s or %s::text in (
                    select e.key
                    from source_entries e
                    join sources k using (source_key)
                    where k.source = %L and e.pointed_at > %L
                ))',
                _new, _item, _s.entry_source, _s.synced_at
            );
        end if;
    end if;

    if _kind <> 'activity' then
        select string_agg(format('s.%I', a.name), ', ') into _attributes
        from unnest(_s.attributes) a (name);

        return format(
            'select coalesce(%s::text, ''''), coalesce(%s::text, ''''), %s::text, null, 1, null, null, null, (%s)::numeric,
                %s
            from %s s
            where %s',
            _user, _item, _text, _latest,
            coalesce(format('(select to_jsonb(a) from (select %s) a)', _attributes), '''{}'''),
            _s.relation, coalesce(_new, 'true')
        );
    end if;

    _rows := format(
        'select coalesce(%s::text, '''') as user_id, coalesce(%s::text, '''') as item, %s::text as text,
            case
                when %4$s is null then ''frequency is blank''
                when %4$s > 1e15 and %4$s::text = ''NaN'' then ''frequency is not a number''
                when %4$s <= 0 then ''frequency is zero or negative''
                when %4$s > 1e15 then ''frequency is beyond 1e15''
                when %4$s < 1e-15 then ''frequency is below 1e-15''
                when %5$s not between timestamptz ''0001-01-01 00:00+00'' and ''9999-12-31 23:59:59.999999+00''
                then ''a time outside the years 1 to 9999''
            end as reason,
            %4$s as frequency, %5$s::timestamptz as occurred_at, (%6$s)::numeric as latest
        from %7$s s',
        _user, _item, _text, _frequency, _time, _latest, _s.relation
    );

    if not source_statement.complete then
        _rows := format(
            '%1$s
            where %2$s in (select %2$s from %3$s s where %4$s)
            union all
            %1$s
            where %2$s is null and %4$s',
            _rows, _user, _s.relation, _new
        );
    end if;

    return format(
        'select r.user_id, r.item, r.text, r.reason, count(*),
            sum(case when r.reason is null then r.frequency::double precision end),
            min(r.occurred_at), max(r.occurred_at), max(r.latest), null::jsonb
        from (%s) r
        group by 1, 2, 3, 4',
        _rows
    );
end
$$;

comment on function source_statement(sources, boolean) is
'Internal. The query that reads a source, complete or what is new, for staged_rows.
Example: select source_statement(s, complete => true) from sources s;';
