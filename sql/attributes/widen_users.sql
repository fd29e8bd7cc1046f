-- Gives users_wide the columns of the attributes that users have now.
--
-- New columns are added behind the others, which disturbs nobody. Where one goes or becomes another type, the view is
-- made anew with the grants it had; a view of somebody that stands on it keeps it as it is, and the next refresh tries
-- again.
create procedure widen_users()
language plpgsql
set search_path from current
as $$
declare
    _wide text;
    _former text[];
    _columns text[];
    _selected text;
    _grants text;
    _comments text;
begin
    perform narrow_search_path();
    _wide := format('%I.users_wide', current_schema() || '_bi');

    if to_regclass(_wide) is null then
        return;
    end if;

    select array_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)) order by a.attnum) into _former
    from pg_attribute a
    where a.attrelid = to_regclass(_wide) and a.attnum > 4;

    select
        array_agg(format('%I %s', c.column_name, c.type) order by f.place, c.attribute collate "C"),
        string_agg(
            format(
                case c.type
                    when 'text' then
                        ', case jsonb_typeof(u.attributes -> %1$L)
                            when ''array'' then array_to_string(array(
                                select v.value from jsonb_array_elements_text(u.attributes -> %1$L) v (value)
                            ), '', '')
                            else u.attributes ->> %1$L
                        end as %2$I'
                    else
                        ', case
                            when jsonb_typeof(u.attributes -> %1$L) = ''number''
                                and pg_input_is_valid(u.attributes ->> %1$L, ''double precision'')
                                then (u.attributes ->> %1$L)::double precision
                        end as %2$I'
                end,
                c.attribute,
                c.column_name
            ),
            '' order by f.place, c.attribute collate "C"
        ),
        string_agg(
            format('comment on column %s.%I is %L; ', _wide, c.column_name, format('The attribute %s.', c.attribute)), ''
        )
    into _columns, _selected, _comments
    from attribute_columns c
    left join unnest(_former) with ordinality f (spelled, place)
        on f.spelled = format('%I %s', c.column_name, c.type);

    if _columns is not distinct from _former then
        return;
    end if;

    if _former is not null and (_columns is null or _columns[:cardinality(_former)] <> _former) then
        select string_agg(
            format(
                'grant %s on %s to %s%s; ',
                g.privilege_type,
                _wide,
                case when g.grantee = 0 then 'public' else g.grantee::regrole::text end,
                case when g.is_grantable then ' with grant option' end
            ),
            ''
        )
        into _grants
        from pg_class c
        cross join lateral aclexplode(c.relacl) g
        where c.oid = to_regclass(_wide) and g.grantee <> c.relowner;

        _comments := format(
            'comment on view %s is %L; ', _wide, obj_description(to_regclass(_wide), 'pg_class')
        ) || (
            select string_agg(format('comment on column %s.%I is %L; ', _wide, a.attname, d.description), '')
            from pg_attribute a
            join pg_description d on (d.objoid, d.objsubid) = (a.attrelid, a.attnum)
            where a.attrelid = to_regclass(_wide) and a.attnum between 1 and 4
        ) || coalesce(_comments, '');

        begin
            execute format('drop view %s', _wide);
        exception
            when dependent_objects_still_exist then
                raise warning using
                    message = format('%s keeps its former columns, since something of yours stands on it', _wide),
                    hint = 'Drop that, call refresh(), and make it again.';
                insert into changes (relation) values ('attributes');
                return;
        end;
    end if;

    execute format(
        'create or replace view %s as select u.user_id, u.entries, u.frequency, u.coverage%s from %I.users u',
        _wide,
        _selected,
        current_schema() || '_bi'
    );
    execute concat(_comments, _grants);
end
$$;

comment on procedure widen_users() is
'Internal. Gives the view users_wide for BI tools a column for each attribute that users have now.
Example: call widen_users();';
