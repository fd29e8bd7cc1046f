-- Agglomerative clustering of any number of users: of a few hundred small clusters that k-means has made of them.
create function fit_agglomerative(
    parameters jsonb,
    leave_out bigint[],
    out node_centroids vector[],
    out node_users bigint[],
    out node_parents bigint[],
    out node_heights double precision[],
    out node_clusters bigint[],
    out iterations bigint
)
language plpgsql
volatile
parallel unsafe
set search_path from current
as $$
#variable_conflict use_column
declare
    _most_leaves constant bigint := 200;
    _rounds constant bigint := 10;
    _p record;
    _sample vector[];
    _centroids vector[];
    _sizes bigint[];
    _leaves bigint;
    _k bigint;
begin
    select * into _p
    from jsonb_to_record(fit_agglomerative.parameters) p (
        k bigint,
        k_min bigint,
        k_max bigint,
        linkage text,
        filter jsonb,
        centered boolean,
        max_iterations bigint,
        tolerance double precision,
        sample_size bigint,
        seed bigint
    );

    select s.embeddings into _sample
    from sample_users(_p.sample_size, _p.seed, _p.filter, fit_agglomerative.leave_out, _p.centered) s;

    perform report_progress('making small clusters');
    select f.fitted, f.sizes, f.iterations into _centroids, _sizes, iterations
    from fit_centroids(
        seed_centroids(_sample, _most_leaves, _p.seed),
        max_iterations => least(_p.max_iterations, _rounds),
        tolerance => _p.tolerance,
        filter => _p.filter,
        leave_out => fit_agglomerative.leave_out,
        centered => _p.centered,
        progress => 'making small clusters'
    ) f;

    perform report_progress('merging small clusters');
    select
        array_agg(m.centroid order by m.node_id),
        array_agg(m.users order by m.node_id),
        array_agg(m.parent_id order by m.node_id),
        array_agg(m.height order by m.node_id)
    into node_centroids, node_users, node_parents, node_heights
    from (
        select array_agg(s.centroid order by s.place) as centroids, array_agg(s.size order by s.place) as sizes
        from unnest(_centroids, _sizes) with ordinality s (centroid, size, place)
        where s.size > 0
    ) l
    cross join lateral merge_clusters(l.centroids, l.sizes, _p.linkage) m;

    _leaves := (cardinality(node_parents) + 1) / 2;
    _k := _p.k;

    if _k is null then
        select least(_p.k_min, _leaves) + elbow(array_agg(c.cost order by c.clusters)) - 1 into _k
        from (
            select 2 * _leaves - n.node as clusters, sum(n.cost) over (order by n.node) as cost
            from (
                select
                    h.node,
                    case _p.linkage when 'ward' then h.height ^ 2 / 2 else h.height end as cost
                from unnest(node_heights) with ordinality h (height, node)
            ) n
        ) c
        where c.clusters between least(_p.k_min, _leaves) and _p.k_max;
    end if;

    if _k > _leaves then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('%s segments cannot be made of %s small clusters', _k, _leaves),
            hint = format('Ask for fewer: k => %s', _leaves);
    end if;

    node_clusters := cut_tree(node_parents, _k);
end
$$;

comment on function fit_agglomerative(jsonb, bigint[]) is
'Internal. Agglomerative clustering of all users but those left out, by linkage ward or average, over at most 200 small
clusters made by k-means. For every node of the tree, leaves first: centroid, users, parent, height, and the cluster (1
to k) it is in, null above the cut. Without k it cuts at the elbow of the inertia (ward), or of the heights (average).
parameters are those of segmentation_runs.
Example: select f.node_clusters from segmentation_runs r, fit_agglomerative(r.parameters, ''{}'') f limit 1;';
