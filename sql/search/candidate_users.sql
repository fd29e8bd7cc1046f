-- The cosine and the evidence of the users who may be among the best.
create function candidate_users(
    query vector,
    nearest bigint[],
    user_keys bigint[],
    amounts double precision[],
    least_evidence double precision
)
returns table (
    user_key bigint,
    user_id text,
    cosine double precision,
    evidence double precision
)
language plpgsql
stable
parallel safe
set search_path from current
set plan_cache_mode = force_custom_plan
set jit = off
as $$
#variable_conflict use_column
begin
    return query
    select v.user_key, v.user_id, 1 - (v.embedding <=> candidate_users.query), c.evidence
    from (
        select c.user_key, max(c.evidence) as evidence
        from (
            select n.user_key, 0::double precision as evidence
            from unnest(candidate_users.nearest) n (user_key)
            union all
            select e.user_key, e.evidence
            from unnest(candidate_users.user_keys, candidate_users.amounts) e (user_key, evidence)
            where e.evidence >= candidate_users.least_evidence or e.user_key = any (candidate_users.nearest)
        ) c
        group by c.user_key
    ) c
    join user_vectors v using (user_key);
end
$$;

comment on function candidate_users(vector, bigint[], bigint[], double precision[], double precision) is
'Internal. The cosine and the evidence of users: of those named nearest, with evidence or without, and of all who have
at least so much evidence, given every user who has any (user_keys), and how much (amounts).
Example: select user_id, cosine, evidence
from candidate_users(embed(''ski enthusiasts''), ''{1, 2}'', ''{2, 3}'', ''{0.3, 0.1}'', least_evidence => 0.2);';
