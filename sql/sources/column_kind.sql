-- What kind of values a column has; an error that names the columns there are, if it is not there.
create function column_kind(
    relation text,
    column_name text
)
returns text
language plpgsql
stable
parallel safe
set search_path from current
as $$
declare
    _kind text;
begin
    if column_kind.column_name is null then
        return null;
    end if;

    select case
        when b.oid in ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype) then 'time'
        when b.oid in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) then 'integer'
        when b.oid in ('float4'::regtype, 'float8'::regtype, 'numeric'::regtype) then 'number'
        when b.typcategory = 'A' then 'list'
        else 'text'
    end
    into _kind
    from pg_attribute a
    join pg_type t on t.oid = a.atttypid
    join pg_type b on b.oid = coalesce(nullif(t.typbasetype, 0), t.oid)
    where a.attrelid = to_regclass(column_kind.relation)
        and a.attname = column_kind.column_name
        and a.attnum > 0
        and not a.attisdropped;

    if _kind is null then
        raise exception using
            errcode = 'undefined_object',
            message = format('%s has no column %L', column_kind.relation, column_kind.column_name),
            hint = 'It has: ' || (
                select string_agg(quote_ident(a.attname), ', ' order by a.attnum)
                from pg_attribute a
                where a.attrelid = to_regclass(column_kind.relation) and a.attnum > 0 and not a.attisdropped
            );
    end if;

    return _kind;
end
$$;

comment on function column_kind(text, text) is
'Internal. What the values of a column of a relation are: time, integer, number, list or text; null of null.
Example: select column_kind(''pg_class'', ''relname'');';
