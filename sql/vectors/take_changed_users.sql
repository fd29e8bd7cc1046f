-- Takes from the logs of a space of tables whose rows a refresh is to compute: of users who have changed, and of those
-- who have an entry whose vector has. Where that is not known, or many, it is everybody, and that is said.
--
-- Under a half-life all weights are as of space.weighted_at. What time does to them since is the same for all activity
-- that has one, so that vectors keep their directions; but not for what has none, nor for sums of weights, in which
-- evidence is measured. So all is as of then until a twentieth of the half-life has gone by, in which a weight fades by
-- a thirtieth.
create procedure take_changed_users(
    changed text[],
    inout user_keys bigint[]
)
language plpgsql
set search_path from current
as $$
declare
    _most constant double precision := 0.1;
    _little constant double precision := 0.05;
    _entry_keys bigint[];
    _anybody boolean;
    _keys bigint[];
    _reason text;
begin
    perform narrow_search_path();

    if (select s.materialization = 'views' from space s) then
        user_keys := null;
        return;
    end if;

    with seen as (
        delete from changed_vectors returning entry_key
    )
    select array_agg(distinct s.entry_key) into _entry_keys
    from seen s;

    with seen as (
        delete from changed_users returning user_key
    )
    select coalesce(bool_or(c.user_key is null), false), array_agg(c.user_key)
    into _anybody, _keys
    from (
        select s.user_key
        from seen s
        union
        select a.user_key
        from activity a
        where a.entry_key = any (_entry_keys)
        union
        select k.user_key
        from unnest(take_changed_users.user_keys) k (user_key)
    ) c;

    select case
        when take_changed_users.user_keys is null then null
        when 'space' = any (take_changed_users.changed) then 'a policy has changed'
        when s.refreshed_at is null then 'it is the first time'
        when s.half_life is not null
            and (clock_timestamp() - s.weighted_at > s.half_life * _little) is distinct from false
            then 'everything has faded, by space.half_life'
        when s.model = 'attributes' or take_changed_users.changed && '{attribute_axes,given_user_vectors}'
            then 'vectors of users are not made of entries alone'
        when _anybody or cardinality(_keys) > _most * (select count(*) from users) then 'much has changed'
    end
    into _reason
    from space s;

    if _reason is not null then
        raise notice 'refreshing everything: %', _reason;
    end if;
    user_keys := case when _reason is null and take_changed_users.user_keys is not null then coalesce(_keys, '{}') end;
end
$$;

revoke execute on procedure take_changed_users(text[], bigint[]) from public;

comment on procedure take_changed_users(text[], bigint[]) is
'Internal. In a space of tables, empties changed_users and changed_vectors and adds to user_keys whom that makes; null
where it may be anybody, as always in a space of views.
Example: call take_changed_users(''{activity}'', ''{}'');';
