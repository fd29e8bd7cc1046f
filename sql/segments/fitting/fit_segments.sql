-- The clusters that segments are made of, by the method asked for, the largest first, without those that are too small.
--
-- A segment is the users nearest to one of its prototypes: of k-means the centroid, of a tree the centroids of its
-- leaves.
create function fit_segments(
    parameters jsonb,
    start vector[],
    leave_out bigint[],
    out prototypes vector[],
    out prototype_clusters bigint[],
    out centroids vector[],
    out users bigint,
    out unassigned bigint,
    out iterations bigint,
    out node_parents bigint[],
    out node_heights double precision[],
    out node_users bigint[],
    out node_clusters bigint[],
    out node_centroids vector[]
)
language plpgsql
volatile
parallel unsafe
set search_path from current
as $$
#variable_conflict use_column
declare
    _least constant bigint := greatest((fit_segments.parameters ->> 'drop_smaller_than')::bigint, 1);
    _clusters bigint[];
    _centroids vector[];
    _sizes bigint[];
    _kept bigint[];
begin
    if fit_segments.parameters ->> 'method' = 'kmeans' then
        select f.centroids, f.sizes, f.iterations into _centroids, _sizes, iterations
        from fit_kmeans(fit_segments.parameters, fit_segments.start, fit_segments.leave_out) f;

        prototypes := _centroids;
        _clusters := array(select generate_series(1, cardinality(_centroids)));
    else
        select f.node_parents, f.node_heights, f.node_users, f.node_clusters, f.node_centroids, f.iterations
        into node_parents, node_heights, node_users, node_clusters, node_centroids, iterations
        from fit_agglomerative(fit_segments.parameters, fit_segments.leave_out) f;

        prototypes := node_centroids[:(cardinality(node_parents) + 1) / 2];
        _clusters := node_clusters[:cardinality(prototypes)];

        -- The root of a cluster is its last node.
        select array_agg(r.centroid order by r.cluster), array_agg(r.users order by r.cluster) into _centroids, _sizes
        from (
            select distinct on (n.cluster) n.cluster, n.centroid, n.users
            from unnest(node_clusters, node_centroids, node_users) with ordinality n (cluster, centroid, users, node)
            where n.cluster is not null
            order by n.cluster, n.node desc
        ) r;
    end if;

    select
        array_agg(c.cluster order by c.size desc, c.cluster),
        array_agg(c.centroid order by c.size desc, c.cluster),
        sum(c.size)
    into _kept, centroids, users
    from unnest(_sizes, _centroids) with ordinality c (size, centroid, cluster)
    where c.size >= _least;

    if _kept is null then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('all segments have fewer than %s users', _least),
            hint = 'Give a smaller drop_smaller_than.';
    end if;

    unassigned := (select sum(size) from unnest(_sizes) size) - users;
    prototype_clusters := array(
        select array_position(_kept, c.cluster) from unnest(_clusters) with ordinality c (cluster, n) order by c.n
    );
    node_clusters := (
        select array_agg(array_position(_kept, c.cluster) order by c.n)
        from unnest(node_clusters) with ordinality c (cluster, n)
    );
end
$$;

comment on function fit_segments(jsonb, vector[], bigint[]) is
'Internal. The clusters of all users but those left out, numbered by their size, the largest first: their centroids, and
the prototypes by which users are placed, with the cluster of each, null where it is too small to keep; users and
unassigned count who is in a cluster kept and who is not. Of a tree, its nodes too. parameters are those of
segmentation_runs, start are the centroids to start k-means from, if there are any.
Example: select f.users from segmentation_runs r, fit_segments(r.parameters, ''{}'', ''{}'') f limit 1;';
