-- The audiences that a definition stands on, directly or through others.
create function audience_foundations(
    definition jsonb
)
returns text[]
language plpgsql
stable
parallel safe
set search_path from current
as $$
begin
    return array(
        with recursive foundations (audience) as (
            select unnest(audience_names(audience_foundations.definition))
            union
            select n.name
            from foundations f
            join audiences a using (audience)
            cross join unnest(audience_names(a.definition)) n (name)
        )
        select f.audience
        from foundations f
        order by f.audience
    );
end
$$;

comment on function audience_foundations(jsonb) is
'Internal. The audiences that a definition stands on: those it names, those that they name, and so on.
Example: select audience_foundations(''{"none_of": ["skiers"]}'');';
