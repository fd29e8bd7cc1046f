-- Why a user is in a segment.
create function explain_segment(
    user_id text,
    name text
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
    _run_id constant bigint := published_run(explain_segment.name);
    _user_key bigint;
    _centroid vector;
    _average vector;
    _embedding vector;
begin
    select m.user_key, s.centroid, r.average into _user_key, _centroid, _average
    from users u
    join segment_assignments m using (user_key)
    join run_segments s using (run_id, segment_id)
    join segmentation_runs r using (run_id)
    where u.user_id = explain_segment.user_id and m.run_id = _run_id;

    if not found then
        raise exception using
            errcode = 'no_data_found',
            message = format('user %L is in no segment of %L', explain_segment.user_id, explain_segment.name),
            hint = format(
                'See which would suit: select * from assign_segment(%L, %L);',
                explain_segment.name,
                explain_segment.user_id
            );
    end if;

    select v.embedding into _embedding
    from user_vectors_live v
    where v.user_key = _user_key;

    -- Of the cosine, (user - average) · centroid / |user - average|, every entry bears its part of the user, and of the
    -- average a part by its share of the weight.
    return query
    select
        m.entry,
        m.frequency,
        m.weight,
        m.similarity,
        case
            when _average is null then m.contribution
            else (
                m.contribution + m.weight / sum(m.weight) over () * (_average <#> l2_normalize(_centroid))
            ) / nullif(_embedding <-> _average, 0)
        end as contribution
    from explain_match(user_id => explain_segment.user_id, query => _centroid) m
    where m.entry is not null
    order by contribution desc, m.entry;
end
$$;

comment on function explain_segment(text, text) is
'Why a user is in a segment: each embedded entry with its weight, its similarity to the segment''s centroid, and what it
adds; contribution sums to the cosine of user and centroid. In a centered run that is what the entry adds beyond what it
would for the average user, whose part is shared out by weight: what everybody has adds little, or less than nothing.
Example: select * from explain_segment(''user_ski_only'', ''interests'');';
