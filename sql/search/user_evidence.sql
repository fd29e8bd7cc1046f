-- What the entries of a query add up to for every user who has one of them.
--
-- One entry may be an accident, so the strongest counts three quarters.
create function user_evidence(
    entry_keys bigint[],
    excesses double precision[],
    breadth double precision default null
)
returns table (
    user_key bigint,
    evidence double precision
)
language plpgsql
stable
parallel safe
set search_path from current
set jit = off
as $$
#variable_conflict use_column
declare
    _other_breadth constant double precision := (select s.breadth - user_evidence.breadth from space s);
begin
    if _other_breadth <> 0 then
        return query
        select e.user_key, e.evidence * v.weight ^ _other_breadth
        from user_evidence(user_evidence.entry_keys, user_evidence.excesses) e
        join user_vectors v using (user_key);
    else
        return query
        select p.user_key, sum(p.strength * p.excess) - 0.25 * max(p.strength * p.excess)
        from (
            select unnest(o.user_keys) as user_key, unnest(o.strengths) as strength, a.excess
            from unnest(user_evidence.entry_keys, user_evidence.excesses) a (entry_key, excess)
            join entry_postings o using (entry_key)
        ) p
        group by p.user_key;
    end if;
end
$$;

comment on function user_evidence(bigint[], double precision[], double precision) is
'Internal. The evidence of every user who has one of the entries: the sum of weight times excess over them, less a
quarter of the strongest, divided by the total weight of the user to the power of breadth (of the space, if null).
Example: select max(u.evidence) from user_evidence(''{1, 2}'', ''{0.3, 0.1}'') u;';
