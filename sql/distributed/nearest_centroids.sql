-- The query that finds the nearest of k centroids for every vector, as every machine can answer it for its own.
--
-- Each distance is to be computed once. 'offset', which sees to that elsewhere, would bring all vectors to the
-- coordinator: here a set of one row in the target list does.
create or replace function nearest_centroids(
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
                select p.*, %s, generate_series(1, 1) as once
                from (%s) p
            ) m
        ) n',
        string_agg(format('when n.d%1$s then %1$s', c), ' ' order by c),
        string_agg(format('m.d%s', c), ', ' order by c),
        string_agg(format('(p.embedding <#> $1[%1$s]) + $2[%1$s] as d%1$s', c), ', ' order by c),
        nearest_centroids.points
    )
    from generate_series(1, nearest_centroids.k) c;
end;
