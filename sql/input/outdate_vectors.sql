-- Has the vector of an entry that gets another text made anew: it stays in use until then, as one of the former text.
-- That holds in every space over these entries that understands texts.
create function outdate_vectors()
returns trigger
language plpgsql
security definer
set search_path from current
as $$
declare
    _space text;
begin
    for _space in select current_schema()::text union all select d.space from derived_spaces d loop
        execute format(
            'update %1$I.entry_vectors v
            set text_hash = text_hash($2)
            where v.entry_key = $1 and v.text_hash is null and %1$I.text_space() is null',
            _space
        )
        using new.entry_key, old.entry;

        execute format('delete from %I.entry_failures f where f.entry_key = $1', _space) using new.entry_key;
    end loop;

    return null;
end
$$;

revoke execute on function outdate_vectors() from public;

comment on function outdate_vectors() is
'Internal. Trigger function: has the vector of an entry whose text changes made anew.';

do $$
begin
    if (select s.base is null from space s) then
        create trigger outdate_vectors
        after update of entry on entries
        for each row
        when (old.entry <> new.entry)
        execute function outdate_vectors();
    end if;
end
$$;
