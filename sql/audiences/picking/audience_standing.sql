-- How users stand in some audiences taken together.
create function audience_standing(
    audiences text[]
)
returns table (
    user_id text,
    score double precision,
    reasons text[]
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
begin
    return query
    select distinct on (s.user_id)
        s.user_id,
        sum(s.standing) over (partition by s.user_id) / cardinality(audience_standing.audiences),
        s.reasons
    from (
        select
            m.user_id,
            m.audience,
            1 - (row_number() over (partition by m.audience order by m.rank) - 1)::double precision
                / count(*) over (partition by m.audience) as standing,
            m.reasons
        from audience_members m
        where m.audience = any (audience_standing.audiences)
    ) s
    order by s.user_id, s.standing desc, s.audience;
end
$$;

comment on function audience_standing(text[]) is
'Internal. The members of some audiences with their mean standing, 0 to 1: in an audience the first has 1, the last
nearly 0, who is not in it 0. The reasons are those of the audience where they stand best.
Example: select user_id, score from audience_standing(array[''skiers'', ''parents'']) order by score desc;';
