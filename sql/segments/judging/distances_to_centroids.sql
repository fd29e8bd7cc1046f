-- The query that tells for every vector how far it is from its own centroid and from the nearest of the others.
--
-- The distances are computed in one target list, as in nearest_centroids, and before that the vectors, which may be
-- expressions, once for all of them.
create function distances_to_centroids(
    points text,
    k bigint
)
returns text
language sql
immutable
parallel safe
begin atomic
    select format(
        'select d.*, coalesce((d.other - d.own) / nullif(greatest(d.other, d.own), 0), 0) as simplified_silhouette
        from (
            select m.*, case m.cluster %s end as own, least(%s) as other
            from (
                select p.*, %s
                from (select v.* from (%s) v offset bigint ''0'') p
                offset bigint ''0''
            ) m
            offset bigint ''0''
        ) d',
        string_agg(format('when %1$s then m.d%1$s', c), ' ' order by c),
        string_agg(format('case when m.cluster <> %1$s then m.d%1$s end', c), ', ' order by c),
        string_agg(format('p.embedding <-> $1[%1$s] as d%1$s', c), ', ' order by c),
        distances_to_centroids.points
    )
    from generate_series(1, distances_to_centroids.k) c;
end;

comment on function distances_to_centroids(text, bigint) is
'Internal. The text of a query that adds to every row of points, a query with columns embedding and cluster (1 to k),
the Euclidean distances own, to the centroid of the cluster, and other, to the nearest of the other centroids, and
their simplified_silhouette. It is run with the centroids as $1.
Example: select distances_to_centroids(''select *, 1 as cluster from user_vectors'', 2);';
