-- Distributes what is of single users by user_key, and puts what all machines need on each of them.
--
-- Of a distributed table only an index with user_key can be unique: that ids are, loads see to, which alone make users
-- and take turns. Nor can a foreign key lead there from what is not distributed.
do $$
declare
    _table text;
    _constraint text;
begin
    for _table, _constraint in
        select f.conrelid::regclass::text, f.conname
        from pg_constraint f
        where f.contype = 'f' and f.confrelid = 'users'::regclass
        union all
        select u.conrelid::regclass::text, u.conname
        from pg_constraint u
        where u.contype = 'u' and u.conrelid = 'users'::regclass
    loop
        execute format('alter table %s drop constraint %I', _table, _constraint);
    end loop;
    create index if not exists users_user_id on users (user_id);
    create index if not exists activity_entry_key on activity (entry_key);

    if exists (select from pg_index i where i.indexrelid = to_regclass('user_vectors_user_id') and i.indisunique) then
        drop index user_vectors_user_id;
        create index user_vectors_user_id on user_vectors (user_id);
    end if;

    for _table in
        select t.name
        from unnest('{users,activity,user_vectors,centered_user_vectors,entry_lengths,segment_assignments}'::text[])
            with ordinality t (name, place)
        where not exists (select from pg_dist_partition p where p.logicalrelid = to_regclass(t.name))
        order by t.place
    loop
        perform create_distributed_table(
            _table, 'user_key', colocate_with => case when _table = 'users' then 'none' else 'users' end
        );
    end loop;

    perform create_reference_table(t.name)
    from unnest('{reference_vectors,reference_policies,common_weights,average_user}'::text[]) t (name)
    where not exists (select from pg_dist_partition p where p.logicalrelid = to_regclass(t.name));
end
$$;
