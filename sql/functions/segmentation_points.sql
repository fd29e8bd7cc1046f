-- The users a segmentation is made of, as the text of a query: $3 is the filter, $4 the keys of users left out.
create function segmentation_points()
returns text
language plpgsql
stable
parallel safe
set search_path from current
as $$
begin
    return
        'select v.user_key, v.embedding
        from user_vectors v
        where ($3 = ''{}'' or v.user_key in (select u.user_key from users u where u.attributes @> $3))
            and v.user_key <> all ($4)';
end
$$;

comment on function segmentation_points() is
'The text of a query for the users that a segmentation considers: $3 is a filter of their attributes, $4 has the keys of
those left out.
Example: select segmentation_points();';
