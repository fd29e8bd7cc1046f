-- What the entries of a query add up to over all users, from the sums of every machine; who has how much stays there.
create or replace function user_evidence(
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
declare
    _breadth constant double precision := coalesce(user_evidence.breadth, (select s.breadth from space s));
begin
    execute format(
        'select sum(e.evidence), sum(e.evidence * e.evidence) from (%s) e where e.evidence > 0',
        evidence_query()
    )
    into evidence_sum, evidence_squares
    using user_evidence.entry_keys, user_evidence.excesses, _breadth;
end
$$;
