-- The users a segmentation is made of, as the text of a query: $3 is the filter, $4 the keys of users left out.
create function segmentation_points(
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
    _parts constant text := (
        select string_agg(
            format(
                'select bigint ''%s'' as part, p.user_key, p.embedding from %I p where true%s%s',
                part,
                _vectors,
                case
                    when part > 1
                        then format(' and p.ctid >= ''(%s,0)''', _blocks * (part - 1) / segmentation_points.parts)
                end,
                case
                    when part < segmentation_points.parts
                        then format(' and p.ctid < ''(%s,0)''', _blocks * part / segmentation_points.parts)
                end
            ),
            ' union all ' order by part
        )
        from generate_series(1, segmentation_points.parts) part
    );
begin
    return format(
        'select v.part, v.user_key, v.embedding
        from (%s) v
        where (
                $3 = ''{}''
                or v.user_key in (select u.user_key from users u where u.attributes @> (select stored_filter($3)))
            )
            and v.user_key <> all ($4)',
        _parts
    );
end
$$;

comment on function segmentation_points(bigint, boolean) is
'Internal. The text of a query for the users that a segmentation considers: $3 is a filter of their attributes, $4 has
the keys of those left out. They are as seen from the average user, unless centered is false. part is where among the
pages of the relation they are: 1, or with more parts up to that many.
Example: select segmentation_points();';
