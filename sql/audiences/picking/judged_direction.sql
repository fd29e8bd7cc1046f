-- The direction from the users judged not to belong to an audience to those judged to.
create function judged_direction(
    audience text
)
returns vector
language plpgsql
stable
parallel safe
set search_path from current
as $$
declare
    _shortest constant double precision := 1e-6;
    _yes vector;
    _no vector;
    _direction vector;
begin
    if not exists (select from audience_judgements j where j.audience = judged_direction.audience) then
        return null;
    end if;

    execute format(
        'select
            scale(sum(v.embedding order by v.user_key) filter (where j.belongs),
                1.0 / nullif(count(*) filter (where j.belongs), 0)),
            scale(sum(v.embedding order by v.user_key) filter (where not j.belongs),
                1.0 / nullif(count(*) filter (where not j.belongs), 0))
        from audience_judgements j
        join %I v using (user_id)
        where j.audience = $1',
        user_vector_relation(true)
    )
    into _yes, _no
    using judged_direction.audience;

    _direction := coalesce(_yes - _no, _yes, scale(_no, -1));
    return case when vector_norm(_direction) >= _shortest then l2_normalize(_direction) end;
end
$$;

comment on function judged_direction(text) is
'Internal. The mean vector of the users judged to belong to an audience less that of those judged not to, as seen from
the average user, at unit length; null where nobody who was judged has a vector, or both are the same.
Example: select judged_direction(''skiers'');';
