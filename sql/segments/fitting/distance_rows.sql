-- The distances of every point to all points, a vector for each: a mean over some of them is then one inner product.
create function distance_rows(
    points vector[],
    metric text default 'euclidean'
)
returns vector[]
language plpgsql
immutable
parallel safe
set search_path from current
set jit = off
as $$
declare
    _rows vector[];
begin
    perform check_sample(coalesce(cardinality(distance_rows.points), 0));

    if distance_rows.metric is null or distance_rows.metric not in ('euclidean', 'cosine') then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('there is no metric %L', distance_rows.metric),
            hint = 'It is euclidean or cosine.';
    end if;
    if distance_rows.metric = 'cosine' then
        select array_agg(r.distances order by r.place) into _rows
        from (
            select p.place, (
                select array_agg(p.point <=> o.point)
                from (select unnest(distance_rows.points) as point) o
            )::vector as distances
            from unnest(distance_rows.points) with ordinality p (point, place)
        ) r;
    else
        select array_agg(r.distances order by r.place) into _rows
        from (
            select p.place, (
                select array_agg(p.point <-> o.point)
                from (select unnest(distance_rows.points) as point) o
            )::vector as distances
            from unnest(distance_rows.points) with ordinality p (point, place)
        ) r;
    end if;

    return _rows;
end
$$;

comment on function distance_rows(vector[], text) is
'Internal. The Euclidean or cosine distances of every point to all points, as a vector for each. They take 16 MB of
memory for 2,000 points, four times that for twice as many.
Example: select distance_rows(array[''[0,0]'', ''[3,4]'']::vector[]);';
