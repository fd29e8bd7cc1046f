-- What the entries of a query add up to for every user who has one of them.
--
-- One entry may be an accident, so the strongest counts less than the others.
--
-- Sums of floating point are added up in one order, whatever the plan, so that a search repeats to the last bit:
-- over users in that of their keys, within a user in that of the entries, sorted before their postings are
-- unnested, while they are few. Of users who have changed lately the postings are in a table of their own: 'not in',
-- a hashed look-up, keeps to the order.
create function user_evidence(
    entry_keys bigint[],
    excesses double precision[],
    breadth double precision default null,
    out user_keys bigint[],
    out evidence double precision[],
    out evidence_sum double precision,
    out evidence_squares double precision
)
returns record
language plpgsql
stable
parallel safe
set search_path from current
set jit = off
as $$
#variable_conflict use_column
declare
    _strongest constant double precision := (select c.strongest from search_constants() c);
    _other_breadth constant double precision := (select s.breadth - user_evidence.breadth from space s);
begin
    select
        array_agg(e.user_key order by e.user_key),
        array_agg(e.evidence order by e.user_key),
        sum(e.evidence order by e.user_key),
        sum(e.evidence * e.evidence order by e.user_key)
    into user_keys, evidence, evidence_sum, evidence_squares
    from (
        select p.user_key, sum(p.strength * p.excess) - (1 - _strongest) * max(p.strength * p.excess) as evidence
        from (
            select o.user_key, o.strength, o.excess
            from (
                select unnest(o.user_keys) as user_key, unnest(o.strengths) as strength, o.excess
                from (
                    select o.user_keys, o.strengths, a.excess
                    from unnest(user_evidence.entry_keys, user_evidence.excesses) a (entry_key, excess)
                    join entry_postings o using (entry_key)
                    order by entry_key
                ) o
            ) o
            where o.user_key not in (select l.user_key from late_users l)
            union all
            (
                select o.user_key, o.strength, a.excess
                from unnest(user_evidence.entry_keys, user_evidence.excesses) a (entry_key, excess)
                join late_postings o using (entry_key)
                order by entry_key
            )
        ) p
        group by p.user_key
    ) e
    where e.evidence > 0;

    if _other_breadth <> 0 then
        select
            array_agg(e.user_key order by e.user_key),
            array_agg(e.evidence order by e.user_key),
            sum(e.evidence order by e.user_key),
            sum(e.evidence * e.evidence order by e.user_key)
        into user_keys, evidence, evidence_sum, evidence_squares
        from (
            select e.user_key, e.evidence * v.weight ^ _other_breadth as evidence
            from unnest(user_evidence.user_keys, user_evidence.evidence) e (user_key, evidence)
            join user_vectors v using (user_key)
        ) e;
    end if;
end
$$;

comment on function user_evidence(bigint[], double precision[], double precision) is
'Internal. The evidence of every user who has one of the entries, given with their excess, and its sum and that of its
squares over these users. It is the sum of weight times excess, of which the strongest counts in part
(search_constants), divided by the total weight of the user to the power of breadth (of the space, if null).
Example: select cardinality(user_keys), evidence_sum from user_evidence(''{1, 2}'', ''{0.3, 0.1}'');';
