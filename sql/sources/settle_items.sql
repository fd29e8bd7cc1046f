-- Finds or makes the entries of the items that are staged.
--
-- Where items are keys, an entry whose only key has another text now is renamed, and everything that is known of it
-- stays; its vector follows at the next embedding. A name may become free by another rename, so that is repeated. Where
-- the name is that of another entry, or the entry has another key too, the key stands for another entry from now on.
-- What is only in rows that cannot be used, such as those of a user who was forgotten, is not made an entry.
create procedure settle_items(
    source sources,
    inout have_moved boolean default false
)
language plpgsql
set search_path from current
as $$
#variable_conflict use_column
declare
    _s constant sources := settle_items.source;
begin
    have_moved := false;

    if _s.entry_source is not null then
        update pg_temp.staged_items i
        set entry_key = k.entry_key
        from source_entries k
        join sources s using (source_key)
        where s.source = _s.entry_source and k.key = i.raw;

        update pg_temp.staged_items i
        set reason = 'no entry has this key'
        where i.entry_key is null and i.reason is null;

        return;
    end if;

    loop
        exit when _s.entry_key_column is null;

        update entries e
        set entry = w.entry
        from (
            select distinct on (i.hash) k.entry_key, i.entry
            from pg_temp.staged_items i
            join source_entries k on (k.source_key, k.key) = (_s.source_key, i.raw)
            join entries e on e.entry_key = k.entry_key and e.entry <> i.entry
            where i.reason is null
                and not exists (select from entries o where text_hash(o.entry) = i.hash)
                and not exists (
                    select
                    from source_entries o
                    where o.entry_key = k.entry_key and (o.source_key, o.key) <> (k.source_key, k.key)
                )
            order by i.hash, k.key
        ) w
        where e.entry_key = w.entry_key;

        exit when not found;
    end loop;

    insert into entries (entry)
    select distinct on (i.hash) i.entry
    from pg_temp.staged_items i
    where i.reason is null
        and not exists (select from entries e where text_hash(e.entry) = i.hash)
        and exists (
            select
            from pg_temp.staged_rows r
            left join pg_temp.staged_users u on u.raw = r.user_id
            where r.item = i.raw and r.reason is null and u.reason is null
        )
    order by i.hash
    on conflict do nothing;

    update pg_temp.staged_items i
    set entry_key = e.entry_key
    from entries e
    where text_hash(e.entry) = i.hash and i.reason is null;

    if _s.entry_key_column is not null then
        have_moved := exists (
            select
            from pg_temp.staged_items i
            join source_entries k on (k.source_key, k.key) = (_s.source_key, i.raw)
            where k.entry_key <> i.entry_key
        );

        insert into source_entries as k (source_key, key, entry_key)
        select _s.source_key, i.raw, i.entry_key
        from pg_temp.staged_items i
        where i.entry_key is not null
        order by i.raw
        on conflict (source_key, key) do update
        set entry_key = excluded.entry_key, pointed_at = clock_timestamp()
        where k.entry_key <> excluded.entry_key;
    end if;
end
$$;

comment on procedure settle_items(sources, boolean) is
'Internal. Gives every item that is staged its entry, which is made or renamed where need be; the result is whether keys
stand for other entries than before.
Example: call create_staging();';
