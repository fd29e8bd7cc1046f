-- The users a segmentation is made of, as the text of a query that every machine answers for its own: $3 is the filter,
-- $4 the keys of users left out. There are no parts: each shard is one.
create or replace function segmentation_points(
    parts bigint default 1,
    centered boolean default true
)
returns text
language plpgsql
stable
parallel safe
set search_path from current
as $$
begin
    return format(
        'select bigint ''1'' as part, v.user_key, v.embedding
        from %I v
        join users u on u.user_key = v.user_key
        where u.attributes @> (select stored_filter($3)) and v.user_key <> all ($4)',
        user_vector_relation(segmentation_points.centered)
    );
end
$$;
