-- Makes activity what the staged rows of a source say, together with what other sources and loads have said.
--
-- What was loaded is what remains of a pair without the sources' parts; a rounding error is nothing. Of a pair that was
-- also loaded, the times only widen: whose they were is not known.
create procedure merge_activity(
    source sources,
    complete boolean,
    inout changes bigint default 0
)
language plpgsql
set search_path from current
as $$
#variable_conflict use_column
declare
    _rounding constant double precision := 1e-12;
    _s constant sources := merge_activity.source;
begin
    create temporary table staged_pairs on commit drop as
    select
        u.user_key,
        i.entry_key,
        sum(r.frequency) as frequency,
        min(r.first_at) as first_at,
        max(r.last_at) as last_at
    from pg_temp.staged_rows r
    join pg_temp.staged_users u on u.raw = r.user_id
    join pg_temp.staged_items i on i.raw = r.item
    where r.reason is null and u.user_key is not null and i.entry_key is not null and i.reason is null
    group by u.user_key, i.entry_key;

    analyze pg_temp.staged_pairs;

    execute format(
        'create temporary table staged_differences on commit drop as
        select user_key, entry_key, n.frequency, n.first_at, n.last_at, h.frequency as former
        from pg_temp.staged_pairs n
        full join (
            select a.user_key, a.entry_key, a.frequency, a.first_at, a.last_at
            from source_activity a
            where a.source_key = %s %s
        ) h using (user_key, entry_key)
        where (n.frequency, n.first_at, n.last_at) is distinct from (h.frequency, h.first_at, h.last_at)',
        _s.source_key,
        case
            when not merge_activity.complete
            then 'and a.user_key in (select u.user_key from pg_temp.staged_users u)'
        end
    );

    get diagnostics changes = row_count;

    if changes > 0 then
        analyze pg_temp.staged_differences;

        create temporary table staged_activity on commit drop as
        with others as (
            select
                a.user_key,
                a.entry_key,
                sum(a.frequency) as frequency,
                min(a.first_at) as first_at,
                max(a.last_at) as last_at
            from source_activity a
            join pg_temp.staged_differences d using (user_key, entry_key)
            where a.source_key <> _s.source_key
            group by a.user_key, a.entry_key
        ),
        parts as (
            select
                d.user_key,
                d.entry_key,
                case when l.frequency > _rounding * a.frequency then l.frequency end as loaded,
                o.frequency + coalesce(d.frequency, 0) as both,
                coalesce(o.frequency, d.frequency) as either,
                least(o.first_at, d.first_at) as first_at,
                greatest(o.last_at, d.last_at) as last_at,
                a.first_at as former_first_at,
                a.last_at as former_last_at
            from pg_temp.staged_differences d
            left join others o using (user_key, entry_key)
            left join activity a using (user_key, entry_key)
            cross join lateral (
                select a.frequency - (coalesce(o.frequency, 0) + coalesce(d.former, 0)) as frequency
            ) l
        )
        select
            p.user_key,
            p.entry_key,
            case
                when p.loaded is null then coalesce(p.both, p.either)
                else p.loaded + coalesce(p.both, p.either, 0)
            end as frequency,
            case when p.loaded is null then p.first_at else least(p.first_at, p.former_first_at) end as first_at,
            case when p.loaded is null then p.last_at else greatest(p.last_at, p.former_last_at) end as last_at
        from parts p;

        analyze pg_temp.staged_activity;

        delete from source_activity a
        using pg_temp.staged_differences d
        where (a.user_key, a.entry_key, a.source_key) = (d.user_key, d.entry_key, _s.source_key)
            and d.frequency is null;

        insert into source_activity (user_key, entry_key, source_key, frequency, first_at, last_at)
        select d.user_key, d.entry_key, _s.source_key, d.frequency, d.first_at, d.last_at
        from pg_temp.staged_differences d
        where d.frequency is not null
        order by d.user_key, d.entry_key
        on conflict (user_key, entry_key, source_key) do update
        set frequency = excluded.frequency, first_at = excluded.first_at, last_at = excluded.last_at;

        delete from activity a
        using pg_temp.staged_activity n
        where (a.user_key, a.entry_key) = (n.user_key, n.entry_key) and n.frequency is null;

        insert into activity as a (user_key, entry_key, frequency, first_at, last_at)
        select n.user_key, n.entry_key, n.frequency, n.first_at, n.last_at
        from pg_temp.staged_activity n
        where n.frequency is not null
        order by n.user_key, n.entry_key
        on conflict (user_key, entry_key) do update
        set frequency = excluded.frequency, first_at = excluded.first_at, last_at = excluded.last_at;

        drop table pg_temp.staged_activity;
    end if;

    drop table pg_temp.staged_pairs, pg_temp.staged_differences;
end
$$;

comment on procedure merge_activity(sources, boolean, bigint) is
'Internal. Makes activity what the staged rows of a source say, of all users or of those who are staged; the result is
how many pairs changed.
Example: call create_staging();';
