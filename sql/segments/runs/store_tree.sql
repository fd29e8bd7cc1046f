-- Writes down the tree of an agglomerative run.
create procedure store_tree(
    run_id bigint,
    segment_ids bigint[],
    parents bigint[],
    heights double precision[],
    users bigint[],
    clusters bigint[],
    centroids vector[]
)
language plpgsql
set search_path from current
as $$
#variable_conflict use_column
begin
    insert into run_tree (run_id, node_id, parent_id, height, users, segment_id, centroid)
    select store_tree.run_id, n.node, n.parent, n.height, n.users, store_tree.segment_ids[n.cluster], n.centroid
    from unnest(
        store_tree.parents, store_tree.heights, store_tree.users, store_tree.clusters, store_tree.centroids
    ) with ordinality n (parent, height, users, cluster, centroid, node);
end
$$;

comment on procedure store_tree(bigint, bigint[], bigint[], double precision[], bigint[], bigint[], vector[]) is
'Internal. Writes the nodes of a tree, in the order of their numbers, into run_tree; segment_ids has the segments of the
clusters.
Example: call store_tree(0, ''{}'', ''{}'', ''{}'', ''{}'', ''{}'', ''{}'');';
