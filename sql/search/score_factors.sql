-- How cosine and evidence make a score, in this search.
create function score_factors(
    query vector,
    evidence_sum double precision,
    evidence_squares double precision,
    mode text,
    evidence_weight double precision,
    out cosine_factor double precision,
    out cosine_mean double precision,
    out evidence_factor double precision,
    out evidence_mean double precision
)
returns record
language plpgsql
stable
parallel safe
set search_path from current
as $$
declare
    _evidence_weight constant double precision := coalesce(
        score_factors.evidence_weight,
        (select s.evidence_weight from space s)
    );
    _cosine_deviation double precision;
    _evidence_deviation double precision;
begin
    cosine_factor := (score_factors.mode = 'mean')::integer;
    cosine_mean := 0;
    evidence_factor := (score_factors.mode = 'evidence')::integer;
    evidence_mean := 0;

    if score_factors.mode = 'hybrid' then
        select
            avg(s.cosine order by s.user_key),
            stddev_pop(s.cosine order by s.user_key),
            coalesce(score_factors.evidence_sum, 0) / max(s.users),
            sqrt(greatest(
                coalesce(score_factors.evidence_squares, 0) / max(s.users)
                    - (coalesce(score_factors.evidence_sum, 0) / max(s.users)) ^ 2,
                0
            ))
        into cosine_mean, _cosine_deviation, evidence_mean, _evidence_deviation
        from (
            select s.user_key, s.users, 1 - (s.embedding <=> score_factors.query) as cosine
            from user_sample s
        ) s;

        cosine_factor := coalesce(1 / nullif(_cosine_deviation, 0), 0);
        evidence_factor := coalesce(_evidence_weight / nullif(_evidence_deviation, 0), 0);
    end if;
end
$$;

comment on function score_factors(vector, double precision, double precision, text, double precision) is
'Internal. How a search scores a user: cosine_factor * (cosine - cosine_mean) + evidence_factor * (evidence -
evidence_mean). By mode hybrid that is z(cosine) + evidence_weight * z(evidence), z being the distance from the mean
in standard deviations, 0 where nothing deviates: of the cosine over user_sample, of the evidence over all users,
given its sum and that of its squares. By mode mean it is the cosine, by evidence the evidence.
Example: select * from score_factors(embed(''ski enthusiasts''), 0.9, 0.3, ''hybrid'', null);';
