-- Computes the members of one audience anew, and notes who came and who left.
create procedure update_audience(
    name text
)
language plpgsql
set search_path from current
as $$
#variable_conflict use_column
declare
    _started constant timestamptz := clock_timestamp();
    _audience audiences%rowtype;
    _inputs jsonb;
    _why text;
    _members bigint;
    _entered bigint;
    _departed bigint;
    _lowest double precision;
begin
    perform lock_audiences();

    select a.* into _audience
    from audiences a
    where a.audience = update_audience.name;

    _inputs := audience_inputs(_audience.definition);
    _why := case
        when _inputs -> 'definition' = _audience.inputs -> 'definition'
            and _inputs -> 'definitions' = _audience.inputs -> 'definitions' then 'data'
        else 'definition'
    end;

    with picked as materialized (
        select p.user_id, p.rank, p.score, p.reasons, p.percentile, p.times
        from pick_members(_audience.definition, case when _why = 'data' then update_audience.name end) p
    ),
    old as materialized (
        select m.user_id from audience_members m where m.audience = update_audience.name
    ),
    departed as (
        delete from audience_members m
        where m.audience = update_audience.name
            and not exists (select from picked p where p.user_id = m.user_id)
        returning m.user_id
    ),
    written as (
        insert into audience_members as m (audience, user_id, rank, score, reasons, percentile, times)
        select update_audience.name, p.user_id, p.rank, p.score, p.reasons, p.percentile, p.times
        from picked p
        order by p.rank
        on conflict (audience, user_id) do update
        set rank = excluded.rank,
            score = excluded.score,
            reasons = excluded.reasons,
            percentile = excluded.percentile,
            times = excluded.times
        where (m.rank, m.score, m.reasons, m.percentile, m.times)
            is distinct from (excluded.rank, excluded.score, excluded.reasons, excluded.percentile, excluded.times)
    ),
    changed as (
        select d.user_id, 'left' as change, null::bigint as rank
        from departed d
        union all
        select p.user_id, 'entered', p.rank
        from picked p
        where not exists (select from old o where o.user_id = p.user_id)
    ),
    noted as (
        insert into audience_changes (audience, user_id, change, why, changed_at)
        select update_audience.name, c.user_id, c.change, _why, _started
        from changed c
        order by c.change desc, c.rank, c.user_id
    )
    select
        (select count(*) from picked),
        (select min(p.score) from picked p),
        count(*) filter (where c.change = 'entered'),
        count(*) filter (where c.change = 'left')
    into _members, _lowest, _entered, _departed
    from changed c;

    update audiences a
    set members = _members, inputs = _inputs, fault = null, refreshed_at = _started
    where a.audience = update_audience.name;

    insert into audience_history (
        audience, refreshed_at, why, members, entered, departed, lowest_score, seconds
    )
    values (
        update_audience.name, _started, _why, _members, _entered, _departed, _lowest,
        extract(epoch from clock_timestamp() - _started)
    );
end
$$;

comment on procedure update_audience(text) is
'Internal. Computes who is in one audience now, whether it is stale or not, notes who entered and left, and adds to its
history.
Example: call update_audience(''skiers'');';
