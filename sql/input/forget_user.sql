-- Forgets a person: in every relation of the space and of those over its people, and for every later sync.
--
-- The materialized views are refreshed, and then all is looked through once more: a receipt is given for nothing that
-- is not so. It runs with its owner's rights, so it first narrows search_path to the space: see refresh().
create procedure forget_user(
    user_id text,
    inout receipt jsonb default null
)
language plpgsql
security definer
set search_path from current
as $$
#variable_conflict use_column
declare
    _id constant text := normalize_text(forget_user.user_id);
    _space text;
    _key bigint;
    _alone bigint[];
    _copies jsonb := '[]';
    _more jsonb;
    _rows jsonb;
    _left text;
begin
    perform narrow_search_path();

    perform check_base('Forget them there: call %I.forget_user(…);');

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

    _alone := array(
        select e.entry_key
        from activity a
        join entries e using (entry_key)
        where a.user_key = _key
            and e.attributes = '{}'
            and not exists (select from source_entries k where k.entry_key = e.entry_key)
            and not exists (select from activity o where o.entry_key = e.entry_key and o.user_key <> _key)
    );

    delete from users u
    where u.user_key = _key;

    delete from entries e
    where e.entry_key = any (_alone);

    for _space in select current_schema()::text union all select d.space from derived_spaces d loop
        execute format(
            'select coalesce(jsonb_agg(format(''%%s: %%s of %%s'', $2, c.cursor, c.audience) order by c.audience, c.cursor), ''[]'')
            from %I.audience_cursors c
            where c.audience in (select h.audience from %1$I.audience_changes h where h.user_id = $1)',
            _space
        )
        into _more
        using _id, _space;
        _copies := _copies || _more;

        execute format('delete from %I.audience_changes h where h.user_id = $1', _space) using _id;
        execute format('delete from %I.audience_judgements j where j.user_id = $1', _space) using _id;
        execute format('delete from %I.segment_changes c where c.user_id = $1', _space) using _id;
        execute format(
            'update %I.audiences a
            set definition = jsonb_set(a.definition, ''{like_users}'', (a.definition -> ''like_users'') - $1)
            where a.definition -> ''like_users'' ? $1',
            _space
        )
        using _id;
        execute format('call %I.refresh()', _space);
    end loop;

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

revoke execute on procedure forget_user(text, jsonb) from public;

comment on procedure forget_user(text, jsonb) is
'Forgets a person: activity, attributes, vectors, segments, audiences with their changes and judgements, in this space
and those over its people, and entries that nobody else has and nothing else describes. A later sync does not bring the
person back. The receipt says how many rows of which relations that were, and in copies which cursors of audiences have
had the person: let those who read there forget too.
Example: call forget_user(''user_random_behaviour'');';
