-- The query that tells for every vector how far it is from its own centroid and from the nearest of the others, as
-- every machine can answer it for its own: see nearest_centroids.
create or replace function distances_to_centroids(
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
                select p.*, %s, generate_series(1, 1) as once
                from (select v.*, generate_series(1, 1) as first from (%s) v) p
            ) m
        ) d',
        string_agg(format('when %1$s then m.d%1$s', c), ' ' order by c),
        string_agg(format('case when m.cluster <> %1$s then m.d%1$s end', c), ', ' order by c),
        string_agg(format('p.embedding <-> $1[%1$s] as d%1$s', c), ', ' order by c),
        distances_to_centroids.points
    )
    from generate_series(1, distances_to_centroids.k) c;
end;
