-- What each user did in each category of entries: how often, of which actions, with what success, how far apart.
--
-- The mean of the times between successive events is the whole time by their number less one: no event is kept for it.
create function user_entry_actions(
    category text,
    action text default null,
    goal text default null
)
returns table (
    user_key bigint,
    user_id text,
    value text,
    events double precision,
    actions jsonb,
    conversion double precision,
    first_at timestamptz,
    last_at timestamptz,
    mean_interval interval
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
begin
    perform check_entry_attribute(user_entry_actions.category);
    if user_entry_actions.action is not null then
        perform check_entry_attribute(user_entry_actions.action);
    end if;

    if user_entry_actions.goal is not null and not exists (
        select from entries e where e.attributes ->> user_entry_actions.action = user_entry_actions.goal
    ) then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('no entry has the action %L', user_entry_actions.goal),
            hint = case
                when user_entry_actions.action is null then
                    'Name the attribute that has the actions: user_entry_actions(…, action => …, goal => …)'
                else format(
                    'See which there are: select distinct attributes ->> %L from entries;', user_entry_actions.action
                )
            end;
    end if;

    return query
    with valued as materialized (
        select e.entry_key, v.value #>> '{}' as value, e.attributes ->> user_entry_actions.action as action
        from entries e
        cross join lateral jsonb_path_query(e.attributes -> user_entry_actions.category, '$[*]') v (value)
        where jsonb_typeof(v.value) in ('string', 'number', 'boolean')
    ),
    acted as (
        select
            a.user_key,
            d.value,
            d.action,
            sum(a.frequency) as events,
            min(a.first_at) as first_at,
            max(a.last_at) as last_at,
            bool_and(a.first_at is not null) as are_timed
        from activity a
        join valued d using (entry_key)
        group by a.user_key, d.value, d.action
    ),
    summed as (
        select
            c.user_key,
            c.value,
            sum(c.events) as events,
            coalesce(jsonb_object_agg(c.action, c.events) filter (where c.action is not null), '{}') as actions,
            coalesce(sum(c.events) filter (where c.action = user_entry_actions.goal), 0) as goals,
            min(c.first_at) as first_at,
            max(c.last_at) as last_at,
            bool_and(c.are_timed) as are_timed
        from acted c
        group by c.user_key, c.value
    )
    select
        s.user_key,
        u.user_id,
        s.value,
        s.events,
        s.actions,
        case when user_entry_actions.goal is not null then s.goals / nullif(s.events - s.goals, 0) end,
        s.first_at,
        s.last_at,
        case when s.are_timed and s.events >= 2 then (s.last_at - s.first_at) / (s.events - 1) end
    from summed s
    join users u using (user_key)
    order by u.user_id, s.value;
end
$$;

comment on function user_entry_actions(text, text, text) is
'What each user did in each category, the value of an attribute of entries: events, the frequencies added up; actions,
the events by the values of another attribute of entries; conversion, events whose action is the goal by those with
another action, null where there is none of these; mean_interval, between successive events, null where there is one, or
where some have no time. A view of it outside the space makes attributes of users by add_source, or an outcome.
Example: select user_id, value, events, mean_interval from user_entry_actions(''category'');';
