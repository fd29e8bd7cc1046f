-- The vector that a definition ranks users by.
create function audience_query(
    definition jsonb
)
returns vector
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _p record;
    _like text[];
    _unlike text[];
begin
    select * into _p
    from audience_parts(audience_query.definition);

    if _p.away_from is not null then
        return embed(_p.search) - embed(_p.away_from);
    elsif _p.search is not null then
        return embed(_p.search);
    end if;

    select s.like_users, s.unlike into _like, _unlike
    from audience_seeds(audience_query.definition) s;

    return group_vector(_like, unlike => _unlike, centered => _p.centered);
end
$$;

comment on function audience_query(jsonb) is
'Internal. The vector that an audience ranks users by: that of the text, less that of the one to be away from, or that
of the group that its members are to be like.
Example: select audience_query(''{"search": "ski enthusiasts", "size": 3}'');';
