-- The similarity matrix of some users, one row a cell.
create function user_similarity(
    user_ids text[]
)
returns table (
    user_a text,
    user_b text,
    similarity double precision
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _most constant bigint := 1000;
begin
    if cardinality(user_similarity.user_ids) > _most then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format(
                '%s users give too large a matrix; the most is %s',
                cardinality(user_similarity.user_ids),
                _most
            );
    end if;

    perform check_users(user_similarity.user_ids);

    return query
    with chosen as materialized (
        select v.user_id, v.embedding
        from user_vectors v
        where v.user_id = any (user_similarity.user_ids)
    )
    select a.user_id, b.user_id, 1 - (a.embedding <=> b.embedding)
    from chosen a
    cross join chosen b
    order by a.user_id, b.user_id;
end
$$;

comment on function user_similarity(text[]) is
'Cosine similarity of every two of up to 1,000 users, a row for each cell of the matrix.
Example: select * from user_similarity(array[''user_ski_only'', ''user_luxury'']);';
