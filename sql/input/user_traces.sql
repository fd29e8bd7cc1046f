-- Where a user is, in all relations of the space and of the spaces over its people that have users: the catalog says
-- which these are, so that none is left out. Materialized views that are not filled hold nobody.
create function user_traces(
    user_id text,
    user_key bigint
)
returns table (
    relation text,
    rows bigint
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _relation text;
    _condition text;
    _rows bigint;
begin
    for _relation, _condition in
        select
            format('%I.%I', n.nspname, c.relname),
            string_agg(
                case a.attname
                    when 'user_id' then 't.user_id = $1'
                    when 'user_key' then 't.user_key = $2'
                    else '$2 = any (t.user_keys)'
                end,
                ' or '
            )
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid
        where n.nspname in (select current_schema() union all select d.space from derived_spaces d)
            and (c.relkind = 'r' or c.relkind = 'm' and c.relispopulated)
            and c.relowner = (select s.relowner from pg_class s where s.oid = 'space'::regclass)
            and (a.attname, a.atttypid) in (
                ('user_id', 'text'::regtype), ('user_key', 'bigint'::regtype), ('user_keys', 'bigint[]'::regtype)
            )
        group by n.nspname, c.relname
        order by 1
    loop
        execute format('select count(*) from %s t where %s', _relation, _condition)
        into _rows
        using user_traces.user_id, user_traces.user_key;

        if _rows > 0 then
            return query values (_relation, _rows);
        end if;
    end loop;
end
$$;

comment on function user_traces(text, bigint) is
'Internal. In which relations of the family of spaces a user is, and how many rows that are.
Example: select t.* from users u cross join user_traces(u.user_id, u.user_key) t where u.user_id = ''user_ski_only'';';
