-- Gives the tables that stand in place of materialized views a primary key each, which replication asks for.
do $$
declare
    _table text;
    _index text;
begin
    for _table, _index in
        select distinct on (c.oid) c.relname, k.relname
        from pg_class c
        join pg_class l on (l.relnamespace, l.relname) = (c.relnamespace, c.relname || '_live')
        join pg_index i on i.indrelid = c.oid and i.indisunique
        join pg_class k on k.oid = i.indexrelid
        where c.relnamespace = quote_ident(current_schema())::regnamespace
            and c.relkind = 'r'
            and not exists (select from pg_index p where p.indrelid = c.oid and p.indisprimary)
        order by c.oid, i.indexrelid
    loop
        execute format('alter table %I add constraint %I primary key using index %2$I', _table, _index);
    end loop;
end
$$;
