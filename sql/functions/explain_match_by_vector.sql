-- What each entry of a user adds to the user's match with a query vector.
create function explain_match(
    user_id text,
    query vector
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
    _weighting text := (select s.weighting from space s);
    _user_key bigint;
    _length double precision;
begin
    select u.user_key into _user_key
    from users u
    where u.user_id = explain_match.user_id;

    if not found then
        raise exception using
            errcode = 'no_data_found',
            message = format('there is no user %L', explain_match.user_id);
    end if;

    select vector_norm(sum(scale(v.embedding, entry_weight(a.frequency, _weighting)))) into _length
    from activity a
    join entry_vectors v using (entry_key)
    where a.user_key = _user_key;

    if _length is null then
        raise exception using
            errcode = 'object_not_in_prerequisite_state',
            message = format('no entry of user %L has a vector yet', explain_match.user_id),
            hint = 'Run, in a shell: pgaudience embed';
    end if;

    return query
    select
        e.entry,
        a.frequency,
        w.weight,
        w.similarity,
        w.weight * w.similarity / nullif(_length, 0) as contribution
    from activity a
    join entry_vectors v using (entry_key)
    join entries e using (entry_key)
    cross join lateral (
        select
            entry_weight(a.frequency, _weighting) as weight,
            1 - (v.embedding <=> explain_match.query) as similarity
    ) w
    where a.user_key = _user_key
    order by contribution desc, e.entry;
end
$$;

comment on function explain_match(text, vector) is
'What each embedded entry of a user adds to the cosine of user and query vector; contribution sums to that cosine.
Example: select * from explain_match(''user_ski_only'', embed(''ski enthusiasts'') - embed(''horror fans''));';
