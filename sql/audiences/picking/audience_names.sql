-- The audiences that a definition names.
create function audience_names(
    definition jsonb
)
returns text[]
language sql
immutable
parallel safe
begin atomic
    select array(
        select distinct n.name
        from audience_parts(audience_names.definition) p
        cross join unnest(
            array_remove(array[p.like_audience], null) || p.unlike || p.all_of || p.any_of || p.none_of
        ) n (name)
        order by n.name
    );
end;

comment on function audience_names(jsonb) is
'Internal. The other audiences that a definition names.
Example: select audience_names(''{"any_of": ["skiers", "snowboarders"], "none_of": ["customers"]}'');';
