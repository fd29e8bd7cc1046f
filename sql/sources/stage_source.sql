-- Reads a source into the staging tables: its rows, added up, and the distinct users and items in them, with what is
-- wrong with each. It runs what others have written, the view that may be the source, so it narrows search_path.
create procedure stage_source(
    source sources,
    complete boolean
)
language plpgsql
set search_path from current
as $$
#variable_conflict use_column
declare
    _s constant sources := stage_source.source;
    _kind constant text := source_kind(_s);
    _forgets constant boolean := exists (select from forgotten_users);
    _has_keys constant boolean := _s.entry_key_column is not null;
begin
    perform narrow_search_path();

    execute 'insert into pg_temp.staged_rows ' || source_statement(_s, stage_source.complete);
    analyze pg_temp.staged_rows;

    if _kind <> 'entries' then
        insert into pg_temp.staged_users (raw, user_id, reason)
        select
            d.raw,
            n.text,
            case
                when n.text = '' then 'blank user'
                when octet_length(n.text) > 1000 then 'user id longer than 1,000 bytes'
                when _forgets and exists (select from forgotten_users f where f.user_hash = user_hash(n.text))
                then 'a user who was forgotten'
            end
        from (select distinct r.user_id as raw from pg_temp.staged_rows r) d
        cross join lateral (select normalize_text(d.raw) as text offset 0) n;
    end if;

    if _kind <> 'users' then
        insert into pg_temp.staged_items (raw, entry, hash, reason)
        select
            d.raw,
            n.text,
            text_hash(n.text),
            case
                when _has_keys and d.raw !~ '\S' then 'blank entry key'
                when _has_keys and octet_length(d.raw) > 1000 then 'entry key longer than 1,000 bytes'
                when n.text = '' then 'blank entry'
                when octet_length(n.text) > 1000000 then 'entry longer than 1 MB'
            end
        from (
            select distinct on (r.item) r.item as raw, r.text
            from pg_temp.staged_rows r
            order by r.item, r.latest desc nulls last, r.last_at desc nulls last, r.text
        ) d
        cross join lateral (
            select case when _s.entry_source is null then normalize_text(coalesce(d.text, '')) end as text offset 0
        ) n;
    end if;

    analyze pg_temp.staged_users;
    analyze pg_temp.staged_items;
end
$$;

comment on procedure stage_source(sources, boolean) is
'Internal. Reads a source into the tables that create_staging makes.
Example: call create_staging();';
