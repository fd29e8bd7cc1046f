-- Brings a table up to date with the live view that defines it: for some keys, or for all.
--
-- Only rows that differ in any bit are written. Under an index of vectors, to write most rows is far slower than to
-- build it anew: where every row changes, it is dropped first and built again, and readers wait.
--
-- What a log says that is now in the table goes in the same statement, so in the same snapshot: what is committed
-- meanwhile is in neither.
create procedure update_copy(
    relation text,
    key text,
    keys bigint[] default null,
    every_row boolean default false,
    log text default null
)
language plpgsql
set search_path from current
as $$
declare
    _indexes text[] := '{}';
    _index text;
    _columns text;
    _of_copy text;
    _of_live text;
begin
    perform narrow_search_path();

    if update_copy.every_row and update_copy.keys is null then
        for _index in
            select c.oid::regclass::text
            from pg_index i
            join pg_class c on c.oid = i.indexrelid
            join pg_am m on m.oid = c.relam
            where i.indrelid = to_regclass(update_copy.relation) and m.amname in ('hnsw', 'ivfflat')
        loop
            _indexes := _indexes || pg_get_indexdef(to_regclass(_index));
            execute format('drop index %s', _index);
        end loop;
    end if;

    select
        string_agg(format('%I', a.attname), ', ' order by a.attnum),
        string_agg(format('c.%I', a.attname), ', ' order by a.attnum),
        string_agg(format('l.%I', a.attname), ', ' order by a.attnum)
    into _columns, _of_copy, _of_live
    from pg_attribute a
    where a.attrelid = to_regclass(update_copy.relation) and a.attnum > 0 and a.attname <> update_copy.key;

    execute format(
        'with logged as (
            %s
        ),
        live as materialized (
            select l.*
            from %s_live l
            where $1 is null or l.%s = any ($1)
        ),
        gone as (
            delete from %2$s c
            where ($1 is null or c.%3$s = any ($1))
                and not exists (select from live l where l.%3$s = c.%3$s)
        ),
        changed as (
            update %2$s c
            set (%4$s) = row (%6$s)
            from live l
            where l.%3$s = c.%3$s and row (%5$s)::record *<> row (%6$s)::record
        )
        insert into %2$s
        select l.*
        from live l
        where not exists (select from %2$s c where c.%3$s = l.%3$s)',
        case when update_copy.log is null then 'select' else format('delete from %I', update_copy.log) end,
        update_copy.relation,
        update_copy.key,
        _columns,
        _of_copy,
        _of_live
    )
    using update_copy.keys;

    foreach _index in array _indexes loop
        execute _index;
    end loop;
end
$$;

revoke execute on procedure update_copy(text, text, bigint[], boolean, text) from public;

comment on procedure update_copy(text, text, bigint[], boolean, text) is
'Internal. In a space of tables, brings one up to date with its live view, for these keys or for all, and empties a log
of what it thereby contains; every_row says that vectors have changed in most rows.
Example: call refresh();';
