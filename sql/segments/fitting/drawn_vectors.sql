-- The vectors of a sample of users, in the order they were drawn in.
create function drawn_vectors(
    user_keys bigint[],
    seed bigint default 0,
    centered boolean default true,
    out embeddings vector[]
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
begin
    execute format(
        'select array_agg(v.embedding order by hashint8extended(v.user_key, $2), v.user_key)
        from %I v
        where v.user_key = any ($1)',
        user_vector_relation(drawn_vectors.centered)
    )
    into embeddings
    using drawn_vectors.user_keys, drawn_vectors.seed;
end
$$;

comment on function drawn_vectors(bigint[], bigint, boolean) is
'Internal. The vectors of users that were drawn, in their order: the seed is that of the draw.
Example: select cardinality(drawn_vectors(draw_users(5)));';
