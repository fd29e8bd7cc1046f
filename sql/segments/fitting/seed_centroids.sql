-- Centroids to start k-means from: each a point of the sample, drawn by its squared distance to those drawn before.
create function seed_centroids(
    points vector[],
    k bigint,
    seed bigint default 0,
    centroids vector[] default '{}'
)
returns vector[]
language plpgsql
immutable
parallel safe
set search_path from current
as $$
declare
    _count constant integer := cardinality(seed_centroids.points);
    _centroids vector[] := seed_centroids.centroids;
    _distances double precision[];
    _threshold double precision;
    _drawn integer;
    _newest vector;
begin
    foreach _newest in array _centroids loop
        select array_agg(least(p.distance, (p.embedding <-> _newest) ^ 2)) into _distances
        from (select unnest(seed_centroids.points) as embedding, unnest(_distances) as distance) p;
    end loop;

    for _number in cardinality(_centroids) + 1 .. seed_centroids.k loop
        if _distances is null then
            _drawn := 1 + floor(random_fraction(seed_centroids.seed, _number) * _count);
        else
            select random_fraction(seed_centroids.seed, _number) * sum(d) into _threshold
            from unnest(_distances) d;

            select min(t.place) into _drawn
            from (
                select d.place, d.distance, sum(d.distance) over (order by d.place) as total
                from unnest(_distances) with ordinality d (distance, place)
            ) t
            where t.total > _threshold and t.distance > 0;
        end if;

        exit when _drawn is null;

        _newest := seed_centroids.points[_drawn];
        _centroids := _centroids || _newest;

        select array_agg(least(p.distance, (p.embedding <-> _newest) ^ 2)) into _distances
        from (select unnest(seed_centroids.points) as embedding, unnest(_distances) as distance) p;
    end loop;

    return _centroids;
end
$$;

comment on function seed_centroids(vector[], bigint, bigint, vector[]) is
'Internal. Up to k centroids for k-means to start from, those given first, the others by k-means++ (Arthur and
Vassilvitskii 2007); fewer if there are not that many distinct points.
Example: select cardinality(seed_centroids(embeddings, 3)) from sample_users(10);';
