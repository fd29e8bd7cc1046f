-- The segment that suits a user, in a segment or not, refreshed or new.
create function assign_segment(
    segmentation text,
    user_id text
)
returns table (
    segment_id bigint,
    segment text,
    similarity double precision,
    runner_up_id bigint,
    margin double precision
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _user_key bigint;
    _embedding vector;
begin
    select u.user_key, v.embedding into _user_key, _embedding
    from users u
    left join user_vectors v using (user_key)
    where u.user_id = assign_segment.user_id;

    if not found and assign_segment.user_id ~ e'^\\[[-+0-9.,eE ]*\\]$' then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = 'the user id looks like a vector',
            hint = 'Say that it is one: ''[…]''::vector.';
    end if;

    if _user_key is null then
        raise exception using
            errcode = 'no_data_found',
            message = format('there is no user %L', assign_segment.user_id),
            hint = format(
                'Of a text, give the vector: select * from assign_segment(%L, embed(%L));',
                assign_segment.segmentation,
                assign_segment.user_id
            );
    end if;

    if _embedding is null then
        select v.embedding into _embedding
        from user_vectors_live v
        where v.user_key = _user_key;
    end if;

    if _embedding is null then
        perform check_user(assign_segment.user_id);
    end if;

    return query
    select * from assign_segment(segmentation => assign_segment.segmentation, embedding => _embedding);
end
$$;

comment on function assign_segment(text, text) is
'The segment that suits a user, by the published run, without building it anew; a user who is not refreshed yet is
placed by what they did so far.
Example: select segment, similarity, margin from assign_segment(''interests'', ''user_ski_only'');';
