-- The cosine and the evidence of the users who may match a query, and what both are measured against.
--
-- They are the users with the most evidence; where few have any, those nearest by their vector too.
create function score_users(
    query vector,
    entry_keys bigint[],
    excesses double precision[],
    k bigint,
    filter jsonb default '{}',
    breadth double precision default null
)
returns table (
    user_key bigint,
    user_id text,
    cosine double precision,
    evidence double precision,
    cosine_mean double precision,
    cosine_deviation double precision,
    evidence_mean double precision,
    evidence_deviation double precision
)
language plpgsql
stable
parallel safe
set search_path from current
set jit = off
as $$
#variable_conflict use_column
declare
    _scored constant bigint := greatest(1000, 10 * score_users.k);
    _user_keys bigint[];
    _evidence double precision[];
    _sum double precision;
    _squares double precision;
    _nearest bigint[];
begin
    perform check_filter(score_users.filter);

    with evidence as materialized (
        select e.user_key, e.evidence
        from user_evidence(score_users.entry_keys, score_users.excesses, score_users.breadth) e
    ),
    shortlist as (
        select e.user_key, e.evidence
        from evidence e
        where score_users.filter = '{}'
            or e.user_key in (select u.user_key from users u where u.attributes @> score_users.filter)
        order by e.evidence desc, e.user_key
        limit _scored
    )
    select t.sum, t.squares, s.user_keys, s.evidence
    into _sum, _squares, _user_keys, _evidence
    from (select sum(e.evidence) as sum, sum(e.evidence * e.evidence) as squares from evidence e) t
    cross join (select array_agg(s.user_key) as user_keys, array_agg(s.evidence) as evidence from shortlist s) s;

    select array_agg(n.user_key) into _nearest
    from nearest_users(
        score_users.query,
        case when cardinality(_user_keys) = _scored then 0 else score_users.k end,
        score_users.filter
    ) n;

    return query
    select
        v.user_key,
        v.user_id,
        1 - (v.embedding <=> score_users.query),
        coalesce(e.evidence, 0),
        c.cosine_mean,
        nullif(c.cosine_deviation, 0),
        c.evidence_mean,
        nullif(sqrt(greatest(c.evidence_squares - c.evidence_mean ^ 2, 0)), 0)
    from user_vectors v
    left join unnest(_user_keys, _evidence) e (user_key, evidence) using (user_key)
    cross join (
        select
            avg(s.cosine order by s.user_key) as cosine_mean,
            stddev_pop(s.cosine order by s.user_key) as cosine_deviation,
            coalesce(_sum, 0) / max(s.users) as evidence_mean,
            coalesce(_squares, 0) / max(s.users) as evidence_squares
        from (
            select s.user_key, s.users, 1 - (s.embedding <=> score_users.query) as cosine
            from user_sample s
        ) s
    ) c
    where v.user_key = any (_user_keys || _nearest);
end
$$;

comment on function score_users(vector, bigint[], double precision[], bigint, jsonb, double precision) is
'Internal. The users who may be among the k that match a query best, given the entries that are evidence for it, with
their excess: the thousand (or 10 k) with the most evidence, and if there are not that many, the k nearest by their
vector too. For each the cosine, the evidence, and the means and standard deviations of both, the latter null where
nothing deviates: of the cosine over user_sample, of the evidence over all users.
Example: select user_id, cosine, evidence from score_users(embed(''ski enthusiasts''), ''{1, 2}'', ''{0.3, 0.1}'', k => 10);';
