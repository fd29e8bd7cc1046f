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
    _centroid vector;
begin
    select s.centroid into _centroid
    from users u
    join segment_assignments m using (user_key)
    join run_segments s using (run_id, segment_id)
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

    return query
    select m.entry, m.frequency, m.weight, m.similarity, m.contribution
    from explain_match(user_id => explain_segment.user_id, query => _centroid) m
    where m.weight > 0
    order by m.contribution desc, m.entry;
end
$$;

comment on function explain_segment(text, text) is
'Why a user is in a segment: each embedded entry with its weight, its similarity to the segment''s centroid, and what it
adds; contribution sums to the cosine of user and centroid.
Example: select * from explain_segment(''user_ski_only'', ''interests'');';
