-- Counts the staged rows of a source that cannot be used, and why.
--
-- A source that was read in part says nothing of reasons that were not met this time: their count stays as it was.
create procedure count_rejects(
    source sources,
    complete boolean,
    inout rejected bigint default 0
)
language plpgsql
set search_path from current
as $$
#variable_conflict use_column
declare
    _s constant sources := count_rejects.source;
begin
    delete from source_rejects j
    where j.source = _s.source and count_rejects.complete;

    with counted as (
        select d.reason, sum(d.rows) as rows
        from (
            select coalesce(u.reason, i.reason, r.reason) as reason, r.rows
            from pg_temp.staged_rows r
            left join pg_temp.staged_users u on u.raw = r.user_id
            left join pg_temp.staged_items i on i.raw = r.item
        ) d
        where d.reason is not null
        group by d.reason
        union all
        select 'a further row of the same user or entry', sum(d.rows - 1)
        from (
            select count(*) as rows
            from pg_temp.staged_rows r
            left join pg_temp.staged_users u on u.raw = r.user_id
            left join pg_temp.staged_items i on i.raw = r.item
            where source_kind(_s) <> 'activity' and coalesce(u.reason, i.reason, r.reason) is null
            group by u.user_key, i.entry_key
        ) d
        having sum(d.rows) > count(*)
    ),
    written as (
        insert into source_rejects (source, reason, rows)
        select _s.source, c.reason, c.rows
        from counted c
        on conflict on constraint source_rejects_pkey do update
        set rows = excluded.rows, counted_at = excluded.counted_at
    )
    select coalesce(sum(c.rows), 0) into rejected
    from counted c;
end
$$;

comment on procedure count_rejects(sources, boolean, bigint) is
'Internal. Counts in source_rejects the staged rows that cannot be used; the result is how many there are.
Example: call create_staging();';
