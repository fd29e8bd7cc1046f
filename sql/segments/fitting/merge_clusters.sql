-- The tree that agglomerative clustering makes of small clusters, from their centroids and sizes alone.
--
-- Ward: the distance of A and B is sqrt(2 |A||B| / (|A|+|B|)) times that of their centroids, as in scipy and
-- scikit-learn. Average: the mean cosine distance of all pairs of their unit vectors, which is 1 - a·b for the means
-- a and b. Either way a merged cluster needs nothing but its mean and its size.
create function merge_clusters(
    centroids vector[],
    sizes bigint[],
    linkage text default 'ward'
)
returns table (
    node_id bigint,
    parent_id bigint,
    height double precision,
    users bigint,
    centroid vector
)
language plpgsql
immutable
parallel safe
set search_path from current
set jit = off
as $$
#variable_conflict use_column
declare
    _leaves constant integer := cardinality(merge_clusters.centroids);
    _centroids vector[] := merge_clusters.centroids;
    _sizes bigint[] := merge_clusters.sizes;
    _heights double precision[] := array_fill(0::double precision, array[_leaves]);
    _parents bigint[] := array_fill(null::bigint, array[_leaves]);
    _roots integer[] := array(select generate_series(1, _leaves));
    _a integer;
    _b integer;
    _height double precision;
begin
    for _node in _leaves + 1 .. 2 * _leaves - 1 loop
        with roots as (
            select r as node, _sizes[r] as size, _centroids[r] as centroid
            from unnest(_roots) r
        )
        select
            a.node,
            b.node,
            case merge_clusters.linkage
                when 'ward' then
                    sqrt(2.0 * a.size * b.size / (a.size + b.size)) * (a.centroid <-> b.centroid)
                else 1 + (a.centroid <#> b.centroid)
            end as height
        into _a, _b, _height
        from roots a
        join roots b on a.node < b.node
        order by height, a.node, b.node
        limit 1;

        _sizes[_node] := _sizes[_a] + _sizes[_b];
        _centroids[_node] := scale(_centroids[_a], _sizes[_a]::double precision / _sizes[_node])
            + scale(_centroids[_b], _sizes[_b]::double precision / _sizes[_node]);
        _heights[_node] := _height;
        _parents[_node] := null;
        _parents[_a] := _node;
        _parents[_b] := _node;
        _roots := array_remove(array_remove(_roots, _a), _b) || _node;
    end loop;

    return query
    select n.node, _parents[n.node], _heights[n.node], _sizes[n.node], _centroids[n.node]
    from generate_series(1::bigint, 2 * _leaves - 1) n (node);
end
$$;

comment on function merge_clusters(vector[], bigint[], text) is
'Internal. The tree of agglomerative clustering by linkage ward or average: first the clusters given, then a node for
each merge, in the order of the merges.
Example: select node_id, parent_id from merge_clusters(array[''[1,0]'', ''[0,1]'', ''[0,0.9]'']::vector[], array[3, 2, 1]);';
