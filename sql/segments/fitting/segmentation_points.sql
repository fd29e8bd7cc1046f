-- The users a segmentation is made of, as the text of a query: $3 is the filter, $4 the keys of users left out.
create function segmentation_points(
    part bigint default 1,
    parts bigint default 1,
    centered boolean default true
)
returns text
language plpgsql
stable
parallel safe
set search_path from current
as $$
declare
    _vectors constant text := user_vector_relation(segmentation_points.centered);
    _blocks constant bigint := pg_relation_size(to_regclass(_vectors)) / current_setting('block_size')::bigint;
begin
    return format(
        'select v.user_key, v.embedding
        from %I v
        where (
                $3 = ''{}''
                or v.user_key in (select u.user_key from users u where u.attributes @> (select stored_filter($3)))
            )
            and v.user_key <> all ($4)
            %s
            %s',
        _vectors,
        case when part > 1 then format('and v.ctid >= ''(%s,0)''', _blocks * (part - 1) / parts) end,
        case when part < parts then format('and v.ctid < ''(%s,0)''', _blocks * part / parts) end
    );
end
$$;

comment on function segmentation_points(bigint, bigint, boolean) is
'Internal. The text of a query for the users that a segmentation considers: $3 is a filter of their attributes, $4 has
the keys of those left out. They are as seen from the average user, unless centered is false. With parts, only those in
a part of the pages of the relation.
Example: select segmentation_points();';
