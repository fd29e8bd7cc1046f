-- Forgets a person: on the machine that has the user, and in what is on the coordinator.
--
-- No trigger removes what belongs to a user here, so each relation that has some is asked to. Connections are as few as
-- those of refresh, which reads here what was removed through them.
create or replace procedure forget_user(
    user_id text,
    inout receipt jsonb default null
)
language plpgsql
security definer
set search_path from current
set citus.max_adaptive_executor_pool_size = 1
as $$
#variable_conflict use_column
declare
    _id constant text := normalize_text(forget_user.user_id);
    _key bigint;
    _relation text;
    _column text;
    _entries bigint[];
    _others bigint[];
    _alone bigint[];
    _copies jsonb;
    _rows jsonb;
    _left text;
begin
    perform narrow_search_path();

    if coalesce(_id, '') = '' then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = 'whom to forget?',
            hint = 'For example: call forget_user(''user_random_behaviour'');';
    end if;

    perform pg_advisory_xact_lock(lock_key('load'));

    insert into forgotten_users (user_hash)
    values (user_hash(_id))
    on conflict do nothing;

    select u.user_key into _key
    from users u
    where u.user_id = _id;

    select coalesce(jsonb_object_agg(t.relation, t.rows), '{}') into _rows
    from user_traces(_id, _key) t;

    select array_agg(a.entry_key) into _entries
    from activity a
    where a.user_key = _key;

    select array_agg(a.entry_key) into _others
    from (
        select distinct a.entry_key
        from activity a
        where a.entry_key = any (_entries) and a.user_key <> _key
    ) a;

    _alone := array(
        select e.entry_key
        from entries e
        where e.entry_key = any (_entries)
            and e.entry_key = any (_others) is not true
            and e.attributes = '{}'
            and not exists (select from source_entries k where k.entry_key = e.entry_key)
    );

    select coalesce(jsonb_agg(format('%s: %s of %s', current_schema(), c.cursor, c.audience) order by c.audience, c.cursor), '[]')
    into _copies
    from audience_cursors c
    where c.audience in (select h.audience from audience_changes h where h.user_id = _id);

    for _relation, _column in
        select t.relation, max(a.attname::text)
        from user_traces(_id, _key) t
        join pg_attribute a on a.attrelid = to_regclass(t.relation) and a.attname in ('user_id', 'user_key')
        group by t.relation
        order by t.relation
    loop
        execute format(
            'delete from %s t where t.%I = %s',
            _relation,
            _column,
            case _column when 'user_key' then '$2' else '$1' end
        )
        using _id, _key;
    end loop;

    delete from entries e
    where e.entry_key = any (_alone);

    update audiences a
    set definition = jsonb_set(a.definition, '{like_users}', (a.definition -> 'like_users') - _id)
    where a.definition -> 'like_users' ? _id;

    call refresh();

    select string_agg(t.relation, ', ') into _left
    from user_traces(_id, _key) t;

    if _left is not null then
        raise exception using
            errcode = 'object_in_use',
            message = format('the user is still in %s', _left),
            hint = 'Nothing was changed. Was that written just now? Try again.';
    end if;

    receipt := jsonb_build_object(
        'user_hash', encode(user_hash(_id), 'hex'),
        'forgotten_at', now(),
        'rows', _rows || case when _alone <> '{}' then jsonb_build_object('entries', cardinality(_alone)) else '{}' end,
        'copies', _copies
    );
end
$$;
