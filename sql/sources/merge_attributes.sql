-- Gives users or entries the attributes that the staged rows of a source say. Of several rows the latest counts.
create procedure merge_attributes(
    source sources,
    complete boolean,
    inout changes bigint default 0
)
language plpgsql
set search_path from current
as $$
#variable_conflict use_column
declare
    _s constant sources := merge_attributes.source;
    _relation constant text := source_kind(_s);
    _row_key constant text := case _relation when 'users' then 'user_key' else 'entry_key' end;
    _name text;
    _kind text;
    _texts text[] := '{}';
begin
    foreach _name in array _s.attributes loop
        exit when not exists (select from pg_temp.staged_rows);
        _kind := case when column_kind(_s.relation, _name) in ('integer', 'number') then 'number' else 'text' end;
        call settle_kind(_relation, _name, _kind);
        if _kind = 'text' then
            _texts := _texts || _name;
        end if;
    end loop;

    execute format(
        'with latest as (
            select distinct on (row_key) k.key as row_key, r.attributes
            from pg_temp.staged_rows r
            join %3$s
            where k.key is not null and k.reason is null
            order by row_key, r.latest desc nulls last, r.attributes desc
        ),
        named as (
            select l.row_key, coalesce(jsonb_object_agg(v.name, v.value) filter (where v.value is not null), ''{}'') as attributes
            from latest l
            left join lateral (
                select a.name, nullif(nullif(s.value, ''null''), ''""'') as value
                from jsonb_each(l.attributes) a (name, value)
                cross join lateral (
                    select case
                        when jsonb_typeof(a.value) = ''string'' then to_jsonb(btrim(a.value #>> ''{}''))
                        when a.name = any ($2) then stored_value(a.value, ''text'')
                        else a.value
                    end as value
                ) s
            ) v on true
            group by l.row_key
        )
        update %1$I t
        set attributes = n.attributes
        from (
            select t.%2$I as row_key, (t.attributes - $1) || coalesce(n.attributes, ''{}'') as attributes
            from %1$I t
            %4$s join named n on n.row_key = t.%2$I
        ) n
        where t.%2$I = n.row_key and t.attributes <> n.attributes',
        _relation,
        _row_key,
        case _relation
            when 'users' then '(select u.raw, u.user_key as key, u.reason from pg_temp.staged_users u) k on k.raw = r.user_id'
            else '(select i.raw, i.entry_key as key, i.reason from pg_temp.staged_items i) k on k.raw = r.item'
        end,
        case when merge_attributes.complete then 'left' end
    )
    using _s.attributes, _texts;

    get diagnostics changes = row_count;
end
$$;

comment on procedure merge_attributes(sources, boolean, bigint) is
'Internal. Gives users or entries the attributes of a source, and takes them from those it does not have any more, if it
was read completely; the result is how many changed.
Example: call create_staging();';
