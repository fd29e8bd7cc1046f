-- The vector that stands for a group of users, and against another: Rocchio's formula.
create function group_vector(
    user_ids text[],
    weights double precision[] default null,
    unlike text[] default null,
    centered boolean default true
)
returns vector
language plpgsql
stable
parallel safe
set search_path from current
as $$
declare
    _weight_of_unlike constant double precision := 0.25;
    _shortest constant double precision := 1e-6;
    _query constant text := format(
        'select scale(sum(scale(v.embedding, g.weight)), 1 / nullif(sum(g.weight), 0))
        from (
            select m.user_id, coalesce(max(m.weight), 1) as weight
            from unnest($1, $2) m (user_id, weight)
            group by m.user_id
        ) g
        join users u using (user_id)
        join %I v using (user_key)',
        user_vector_relation(group_vector.centered)
    );
    _like vector;
    _unlike vector;
begin
    perform check_group(group_vector.user_ids, weights => group_vector.weights, unlike => group_vector.unlike);

    execute _query into _like using group_vector.user_ids, group_vector.weights;

    if cardinality(group_vector.unlike) > 0 then
        execute _query into _unlike using group_vector.unlike, null::double precision[];
        _like := coalesce(_like - scale(_unlike, _weight_of_unlike), _like, scale(_unlike, -1));
    end if;

    if coalesce(vector_norm(_like), 0) < _shortest then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = 'these users have no taste in common: their vectors add up to nothing',
            hint = case when group_vector.centered then 'Compare users as they are: centered => false' end;
    end if;

    return l2_normalize(_like);
end
$$;

comment on function group_vector(text[], double precision[], text[], boolean) is
'Internal. The vector, at unit length, that stands for a group of users: the mean of their vectors, weighted if weights
are given, less a quarter of that of the users in unlike (Rocchio 1971, Relevance Feedback in Information Retrieval;
the quarter did best on real data). A user named twice counts once, by the larger weight; one who is exactly the
average adds nothing.
Example: select * from nearest_users(group_vector(array[''user_ski_only'']), k => 5, centered => true);';
