-- Why a user is in a segment.
create function explain_segment(
    segmentation text,
    user_id text
)
returns table (
    entry text,
    frequency double precision,
    weight double precision,
    similarity double precision,
    contribution double precision
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _run_id constant bigint := published_run(explain_segment.segmentation);
    _user_key bigint;
    _segment_id bigint;
    _centroid vector;
    _average vector;
    _sum vector;
    _weight double precision;
begin
    select u.user_key into _user_key
    from users u
    where u.user_id = explain_segment.user_id;

    if not found then
        raise exception using
            errcode = 'no_data_found',
            message = format('there is no user %L', explain_segment.user_id);
    end if;

    select m.segment_id into _segment_id
    from segment_assignments m
    where m.run_id = _run_id and m.user_key = _user_key;

    if not found then
        raise exception using
            errcode = 'no_data_found',
            message = format('user %L is in no segment of %L', explain_segment.user_id, explain_segment.segmentation),
            hint = format(
                'See which would suit: select * from assign_segment(%L, %L);',
                explain_segment.segmentation,
                explain_segment.user_id
            );
    end if;

    select s.centroid, r.average into _centroid, _average
    from run_segments s
    join segmentation_runs r using (run_id)
    where s.run_id = _run_id and s.segment_id = _segment_id;

    perform check_made_of_entries(explain_segment.user_id);

    select s.direction, s.weight into _sum, _weight
    from (
        with held as materialized (
            select a.entry_key, a.weight from weighted_activity a where a.user_key = _user_key
        )
        select sum(scale(v.embedding, a.weight)) as direction, sum(a.weight) as weight
        from held a
        join entry_vectors v using (entry_key)
    ) s;

    -- Of the cosine, (user - average) · centroid / |user - average|, every entry bears its part of the user, and of the
    -- average a part by its share of the weight.
    return query
    with held as materialized (
        select a.entry_key, a.frequency, a.weight from weighted_activity a where a.user_key = _user_key
    )
    select
        e.entry,
        a.frequency,
        a.weight,
        s.similarity,
        case
            when _average is null then c.contribution
            else (
                c.contribution + a.weight / _weight * (_average <#> l2_normalize(_centroid))
            ) / nullif(l2_normalize(_sum) <-> _average, 0)
        end as contribution
    from held a
    join entry_vectors v using (entry_key)
    join entries e using (entry_key)
    cross join lateral (select 1 - (v.embedding <=> _centroid) as similarity) s
    cross join lateral (select a.weight * s.similarity / nullif(vector_norm(_sum), 0) as contribution) c
    order by contribution desc, e.entry;
end
$$;

comment on function explain_segment(text, text) is
'Why a user is in a segment: each embedded entry with its weight, its similarity to the segment''s centroid, and what it
adds; contribution sums to the cosine of user and centroid. In a centered run that is what the entry adds beyond what it
would for the average user, whose part is shared out by weight: what everybody has adds little, or less than nothing.
Example: select * from explain_segment(''interests'', ''user_ski_only'');';
