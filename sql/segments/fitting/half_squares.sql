-- The halves of the squared lengths of some centroids, which nearest_centroids measures by.
create function half_squares(
    centroids vector[]
)
returns double precision[]
language sql
immutable
parallel safe
begin atomic
    select array_agg((c <#> c) / -2 order by n)
    from unnest(half_squares.centroids) with ordinality u (c, n);
end;

comment on function half_squares(vector[]) is
'Internal. Half the squared length of each of some vectors: $2 of nearest_centroids.
Example: select half_squares(array[''[1,1]'', ''[0,2]'']::vector[]);';
