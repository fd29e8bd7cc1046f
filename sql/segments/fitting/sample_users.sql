-- A sample of the users of a segmentation, the same for the same seed.
create function sample_users(
    sample_size bigint,
    seed bigint default 0,
    filter jsonb default '{}',
    leave_out bigint[] default '{}',
    centered boolean default true,
    out user_keys bigint[],
    out embeddings vector[]
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
begin
    execute format(
        'select array_agg(s.user_key order by s.place), array_agg(v.embedding order by s.place)
        from (
            select s.user_key, row_number() over () as place
            from (
                select p.user_key
                from (%s) p
                order by hashint8extended(p.user_key, $2), p.user_key
                limit $1
            ) s
        ) s
        join %I v using (user_key)',
        segmentation_points(centered => sample_users.centered),
        user_vector_relation(sample_users.centered)
    )
    into user_keys, embeddings
    using sample_users.sample_size, sample_users.seed, sample_users.filter, sample_users.leave_out;
end
$$;

comment on function sample_users(bigint, bigint, jsonb, bigint[], boolean) is
'Internal. The keys and the vectors of a random sample of users, in random order; the same seed gives the same sample.
Example: select cardinality(user_keys) from sample_users(5);';
