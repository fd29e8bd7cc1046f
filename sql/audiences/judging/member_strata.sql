-- The members of an audience in strata by rank, and the order in which they are drawn within each.
--
-- The order is that of a hash, so it is random and always the same: the first of a stratum are a simple random sample
-- of it, however often and in whatever portions they are drawn (permanent random numbers: Ohlsson 1995, Coordination
-- of samples using permanent random numbers).
create function member_strata(
    audience text
)
returns table (
    user_id text,
    place bigint,
    stratum bigint,
    draw bigint
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _strata constant bigint := 5;
begin
    perform check_foundations(jsonb_build_object('any_of', array[member_strata.audience]));

    return query
    select
        s.user_id,
        s.place,
        s.stratum,
        row_number() over (
            partition by s.stratum
            order by hashtextextended(s.user_id, hashtextextended(member_strata.audience, 0)), s.user_id
        )
    from (
        select
            m.user_id,
            row_number() over (order by m.rank, m.user_id) as place,
            ntile(_strata::integer) over (order by m.rank, m.user_id)::bigint as stratum
        from audience_members m
        where m.audience = member_strata.audience
    ) s;
end
$$;

comment on function member_strata(text) is
'Internal. The members of an audience in five strata of equal size by rank, the best first, with their place in the
audience and the order in which they are drawn from their stratum.
Example: select stratum, count(*) from member_strata(''skiers'') group by stratum order by stratum;';
