-- Where a vector lies on an axis of a map: an inner product.
create function place_on_axis(
    embedding vector,
    average vector,
    direction vector,
    origin double precision
)
returns double precision
language sql
immutable
parallel safe
begin atomic
    select case
        when place_on_axis.average is null then -(place_on_axis.embedding <#> place_on_axis.direction)
        else (
            (place_on_axis.average <#> place_on_axis.direction) - (place_on_axis.embedding <#> place_on_axis.direction)
        ) / nullif(place_on_axis.embedding <-> place_on_axis.average, 0)
    end - place_on_axis.origin;
end;

comment on function place_on_axis(vector, vector, vector, double precision) is
'Internal. Where a vector, seen from an average if there is one, lies on an axis of a map.
Example: select place_on_axis(embed(''ski enthusiasts''), average, direction, origin) from maps join map_vectors using (map_id);';
