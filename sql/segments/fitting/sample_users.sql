-- A sample of the users of a segmentation, and their vectors.
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
    user_keys := draw_users(
        sample_users.sample_size, sample_users.seed, sample_users.filter, sample_users.leave_out, sample_users.centered
    );
    embeddings := drawn_vectors(user_keys, sample_users.seed, sample_users.centered);
end
$$;

comment on function sample_users(bigint, bigint, jsonb, bigint[], boolean) is
'Internal. The keys and the vectors of a random sample of users, in random order; the same seed gives the same sample.
Example: select cardinality(user_keys) from sample_users(5);';
