-- The users whom the members of an audience are to be like, and unlike.
--
-- Who has no vector, any more or yet, cannot be compared with: the others are, as long as there is one.
create function audience_seeds(
    definition jsonb
)
returns table (
    like_users text[],
    unlike text[]
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _p record;
    _like text[];
begin
    select * into _p
    from audience_parts(audience_seeds.definition);

    _like := array(
        select v.user_id
        from user_vectors v
        where v.user_id in (
            select unnest(_p.like_users)
            union all
            select m.user_id from audience_members m where m.audience = _p.like_audience
        )
        order by v.user_id
    );

    if _like = '{}' then
        raise exception using
            errcode = 'no_data_found',
            message = case
                when _p.like_users is null then format('nobody in audience %L has a vector', _p.like_audience)
                when _p.like_users = '{}' then 'all of like_users were forgotten'
                else 'none of like_users has a vector'
            end,
            hint = case
                when _p.like_users = '{}' then 'Say whom its members shall be like: call save_audience(…, like_users => …);'
                else 'Users get a vector at the next refresh after one of their entries is embedded: call refresh();'
            end;
    end if;

    return query
    select
        _like,
        array(
            select v.user_id
            from user_vectors v
            where v.user_id in (select m.user_id from audience_members m where m.audience = any (_p.unlike))
                and v.user_id not in (select unnest(_like))
            order by v.user_id
        );
end
$$;

comment on function audience_seeds(jsonb) is
'Internal. The users with a vector whom the members of an audience are to be like, and those they are to be unlike; who
is in both is to be like.
Example: select like_users from audience_seeds(''{"like_users": ["user_ski_only"], "size": 3}'');';
