-- The query that finds the nearest of k centroids for every vector: what k-means and every placement of users stand on.
--
-- The squared Euclidean distance of x to a centroid c is |x|² + 2 (|c|²/2 - x·c). The brackets are computed for all
-- centroids in one target list, then compared: several times faster than a join with a table of centroids. 'offset 0'
-- keeps the planner from computing them again for every comparison; written so that it stays parallel safe.
create function nearest_centroids(
    points text,
    k bigint
)
returns text
language sql
immutable
parallel safe
begin atomic
    select format(
        'select n.*, case n.nearest %s end as cluster
        from (
            select m.*, least(%s) as nearest
            from (
                select p.*, %s
                from (%s) p
                offset bigint ''0''
            ) m
            offset bigint ''0''
        ) n',
        string_agg(format('when n.d%1$s then %1$s', c), ' ' order by c),
        string_agg(format('m.d%s', c), ', ' order by c),
        string_agg(format('(p.embedding <#> $1[%1$s]) + $2[%1$s] as d%1$s', c), ', ' order by c),
        nearest_centroids.points
    )
    from generate_series(1, nearest_centroids.k) c;
end;

comment on function nearest_centroids(text, bigint) is
'Internal. The text of a query that adds to every row of points, a query with a column embedding, its cluster (1 to k)
and nearest: half the squared distance to that centroid, less half the squared length of the vector. It is run with the
centroids as $1 and the halves of their squared lengths as $2.
Example: select nearest_centroids(''select * from user_vectors'', 2);';
