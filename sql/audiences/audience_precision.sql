-- How many of an audience's members belong to it, by size, as far as the judged ones tell.
--
-- The estimator is that of a stratified sample (Cochran 1977, Sampling Techniques, 5.3 to 5.7): the shares of the
-- strata, weighted by their size, with a correction for strata that are small. The interval is Wilson's for as many
-- judged as a simple sample would need for the same variance (Korn and Graubard 1998; Dean and Pagano 2015,
-- Evaluating confidence interval methods for binomial proportions in clustered surveys); in that variance half an
-- answer of each kind is added to every stratum, or one of a few answers all alike would seem to be certain.
create function audience_precision(
    audience text,
    confidence double precision default 0.95
)
returns table (
    size bigint,
    estimate double precision,
    low double precision,
    high double precision,
    judged bigint,
    belonging bigint,
    stratum_precision double precision
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _z double precision;
begin
    if not coalesce(audience_precision.confidence >= 0.5 and audience_precision.confidence <= 0.999, false) then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format(
                'confidence is 0.5 to 0.999, not %s',
                coalesce(audience_precision.confidence::text, 'null')
            ),
            hint = 'For example: confidence => 0.95';
    end if;

    _z := normal_quantile((1 + audience_precision.confidence) / 2);

    return query
    with strata as (
        select
            s.stratum,
            count(*) as members,
            count(j.user_id) as judged,
            count(*) filter (where j.belongs) as belonging
        from member_strata(audience_precision.audience) s
        left join audience_judgements j on (j.audience, j.user_id) = (audience_precision.audience, s.user_id)
        group by s.stratum
    ),
    parts as (
        select
            s.*,
            s.belonging::double precision / nullif(s.judged, 0) as share,
            (s.belonging + 0.5) / (s.judged + 1.0) as smooth,
            (s.members - s.judged)::double precision / nullif((s.members - 1) * s.judged, 0) as spread
        from strata s
    ),
    sums as (
        select
            p.stratum,
            sum(p.members) over w as size,
            sum(p.members * p.share) over w / sum(p.members) over w as share,
            sum(p.members * p.smooth) over w / sum(p.members) over w as smooth,
            sum(p.members ^ 2 * p.smooth * (1 - p.smooth) * coalesce(p.spread, 0)) over w
                / (sum(p.members) over w) ^ 2 as variance,
            sum(p.judged) over w as judged,
            sum(p.belonging) over w as belonging,
            p.share as stratum_share,
            min(p.judged) over w > 0 as is_complete
        from parts p
        window w as (order by p.stratum)
    )
    select
        s.size::bigint,
        e.share,
        case when e.center is null then e.share else greatest(e.center - e.half, 0) end,
        case when e.center is null then e.share else least(e.center + e.half, 1) end,
        s.judged::bigint,
        s.belonging::bigint,
        s.stratum_share
    from sums s
    cross join lateral (
        select
            case when s.is_complete then s.share end as share,
            s.smooth * (1 - s.smooth) / nullif(s.variance, 0) as n
    ) f
    cross join lateral (
        select
            f.share,
            (f.share + _z ^ 2 / (2 * f.n)) / (1 + _z ^ 2 / f.n) as center,
            _z / (1 + _z ^ 2 / f.n) * sqrt(f.share * (1 - f.share) / f.n + _z ^ 2 / (4 * f.n ^ 2)) as half
    ) e
    order by s.stratum;
end
$$;

comment on function audience_precision(text, double precision) is
'Which share of an audience belongs to it, for the best fifth of its members, the best two fifths, and so on up to all:
estimate, with the interval from low to high that holds the truth with this confidence, from those judged with
judge_member; stratum_precision is that of the last fifth alone. Null where a stratum has nobody judged. To cut where
less than four in five belong: select max(size) from audience_precision(…) where estimate >= 0.8.
Example: select size, round(estimate::numeric, 2) as estimate, judged from audience_precision(''skiers'');';
