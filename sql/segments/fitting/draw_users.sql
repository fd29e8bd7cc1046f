-- A sample of the users of a segmentation, the same for the same seed.
create function draw_users(
    sample_size bigint,
    seed bigint default 0,
    filter jsonb default '{}',
    leave_out bigint[] default '{}',
    centered boolean default true,
    out user_keys bigint[]
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
begin
    execute format(
        'select array_agg(s.user_key)
        from (
            select p.user_key
            from (%s) p
            order by hashint8extended(p.user_key, $2), p.user_key
            limit $1
        ) s',
        segmentation_points(centered => draw_users.centered)
    )
    into user_keys
    using draw_users.sample_size, draw_users.seed, draw_users.filter, draw_users.leave_out;
end
$$;

comment on function draw_users(bigint, bigint, jsonb, bigint[], boolean) is
'Internal. The keys of a random sample of users, in random order; the same seed gives the same sample.
Example: select draw_users(5);';
