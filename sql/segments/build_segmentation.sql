-- Cuts the users into segments: finds centroids, gives their segments the ids they had, stores a run, publishes it.
--
-- It does not commit: a run becomes visible whole, with the caller's transaction. The row of the segmentation is locked
-- meanwhile, so that two builds of one follow each other; readers are not blocked.
create procedure build_segmentation(
    name text,
    k bigint default null,
    k_min bigint default 2,
    k_max bigint default 12,
    restarts bigint default 3,
    max_iterations bigint default 50,
    sample_size bigint default 20000,
    seed bigint default 0,
    filter jsonb default '{}',
    method text default 'kmeans',
    linkage text default 'ward',
    tolerance double precision default 1e-4,
    initial_centroids vector[] default null,
    warm_start boolean default true,
    drop_smaller_than bigint default 0,
    exclude_outliers double precision default 0,
    max_churn double precision default null,
    suppress_below bigint default null,
    describe boolean default true,
    centered boolean default true,
    inout run_id bigint default null
)
language plpgsql
set search_path from current
as $$
#variable_conflict use_column
declare
    _started constant timestamptz := clock_timestamp();
    _application constant text := current_setting('application_name');
    _fault text;
    _vectors text;
    _average vector;
    _previous bigint;
    _left_out bigint[] := '{}';
    _warm vector[] := '{}';
    _sample_to_judge constant bigint := 1000;
    _tree record;
    _prototypes vector[];
    _clusters bigint[];
    _centroids vector[];
    _sizes bigint[];
    _iterations bigint;
    _kept bigint[];
    _kept_centroids vector[];
    _users bigint;
    _ids bigint[];
    _last_id bigint;
    _found bigint;
    _churn double precision;
begin
    build_segmentation.name := normalize_text(build_segmentation.name);
    perform check_filter(build_segmentation.filter);

    select f.message into _fault
    from (
        values
            (build_segmentation.name is null or build_segmentation.name !~ '\S', 'the segmentation needs a name'),
            (build_segmentation.k not between 1 and 1000, 'k is 1 to 1000, or null: chosen'),
            (build_segmentation.k_min is null or build_segmentation.k_max is null
                or not 2 <= build_segmentation.k_min or not build_segmentation.k_min <= build_segmentation.k_max
                or not build_segmentation.k_max <= 1000, 'k_min and k_max are 2 to 1000, in this order'),
            (build_segmentation.restarts is null or build_segmentation.restarts < 1, 'restarts is 1 or more'),
            (build_segmentation.max_iterations is null or build_segmentation.max_iterations < 1,
                'max_iterations is 1 or more'),
            (build_segmentation.sample_size is null or build_segmentation.sample_size < 2, 'sample_size is 2 or more'),
            (build_segmentation.seed is null, 'seed is a number'),
            (build_segmentation.method is null or build_segmentation.method not in ('kmeans', 'agglomerative'),
                'method is kmeans or agglomerative'),
            (build_segmentation.linkage is null or build_segmentation.linkage not in ('ward', 'average'),
                'linkage is ward or average'),
            (build_segmentation.tolerance is null or not build_segmentation.tolerance between 0 and 1, 'tolerance is 0 to 1'),
            (build_segmentation.initial_centroids is not null
                and (cardinality(build_segmentation.initial_centroids) not between 1 and 1000
                    or array_position(build_segmentation.initial_centroids, null) is not null
                    or build_segmentation.method <> 'kmeans'
                    or build_segmentation.k <> cardinality(build_segmentation.initial_centroids)
                    or exists (
                        select from unnest(build_segmentation.initial_centroids) c
                        where vector_dims(c) <> (select dimensions from space)
                    )),
                'initial_centroids are 1 to 1000 vectors of the space, for kmeans alone, as many as k if that is given'),
            (build_segmentation.warm_start is null, 'warm_start is true or false'),
            (build_segmentation.drop_smaller_than is null, 'drop_smaller_than is a number of users'),
            (build_segmentation.exclude_outliers is null or not build_segmentation.exclude_outliers between 0 and 0.5,
                'exclude_outliers is a share of the users, 0 to 0.5'),
            (not build_segmentation.max_churn between 0 and 1, 'max_churn is a share of the users, 0 to 1, or null'),
            (build_segmentation.describe is null, 'describe is true or false'),
            (build_segmentation.suppress_below < 0, 'suppress_below is a number of users, 0 or more')
    ) f (wrong, message)
    where f.wrong
    limit 1;

    if found then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = _fault;
    end if;

    _vectors := user_vector_relation(build_segmentation.centered);

    if build_segmentation.centered then
        select a.embedding into _average
        from average_user a;
    end if;

    execute format('select from %I v join users u using (user_key) where u.attributes @> $1 limit 1', _vectors)
    using build_segmentation.filter;
    get diagnostics _found = row_count;

    if _found = 0 then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('no user with a vector has the attributes of the filter %s', build_segmentation.filter);
    end if;

    insert into segmentations (segmentation)
    values (build_segmentation.name)
    on conflict do nothing;

    select s.published_run_id into _previous
    from segmentations s
    where s.segmentation = build_segmentation.name
    for no key update;

    if build_segmentation.exclude_outliers > 0 then
        perform report_progress('finding outliers');
        select coalesce(array_agg(o.user_key), '{}') into _left_out
        from find_outliers(
            build_segmentation.exclude_outliers,
            filter => build_segmentation.filter,
            centered => build_segmentation.centered
        ) o;
    end if;

    if build_segmentation.method = 'kmeans' and build_segmentation.warm_start
        and build_segmentation.initial_centroids is null then
        select coalesce(array_agg(s.centroid order by s.users desc, s.segment_id), '{}') into _warm
        from run_segments s
        join segmentation_runs r using (run_id)
        where s.run_id = _previous and (r.average is null) = (_average is null);
    end if;

    if build_segmentation.method = 'kmeans' then
        select f.centroids, f.sizes, f.iterations into _centroids, _sizes, _iterations
        from fit_kmeans(
            k => coalesce(
                build_segmentation.k,
                nullif(cardinality(coalesce(build_segmentation.initial_centroids, _warm)), 0)
            ),
            k_min => build_segmentation.k_min,
            k_max => build_segmentation.k_max,
            restarts => build_segmentation.restarts,
            max_iterations => build_segmentation.max_iterations,
            tolerance => build_segmentation.tolerance,
            sample_size => build_segmentation.sample_size,
            seed => build_segmentation.seed,
            start => coalesce(build_segmentation.initial_centroids, _warm),
            filter => build_segmentation.filter,
            leave_out => _left_out,
            centered => build_segmentation.centered
        ) f;

        _prototypes := _centroids;
        _clusters := array(select generate_series(1, cardinality(_centroids)));
    else
        select * into _tree
        from fit_agglomerative(
            k => build_segmentation.k,
            k_min => build_segmentation.k_min,
            k_max => build_segmentation.k_max,
            linkage => build_segmentation.linkage,
            max_iterations => build_segmentation.max_iterations,
            tolerance => build_segmentation.tolerance,
            sample_size => build_segmentation.sample_size,
            seed => build_segmentation.seed,
            filter => build_segmentation.filter,
            leave_out => _left_out,
            centered => build_segmentation.centered
        );

        _iterations := _tree.iterations;
        _prototypes := _tree.node_centroids[:(cardinality(_tree.node_parents) + 1) / 2];
        _clusters := _tree.node_clusters[:cardinality(_prototypes)];

        select array_agg(r.centroid order by r.cluster), array_agg(r.users order by r.cluster)
        into _centroids, _sizes
        from (
            select distinct on (n.cluster) n.cluster, n.centroid, n.users
            from unnest(_tree.node_clusters, _tree.node_centroids, _tree.node_users)
                with ordinality n (cluster, centroid, users, node)
            where n.cluster is not null
            order by n.cluster, n.node desc
        ) r;
    end if;

    select
        array_agg(c.cluster order by c.size desc, c.cluster),
        array_agg(c.centroid order by c.size desc, c.cluster),
        sum(c.size)
    into _kept, _kept_centroids, _users
    from unnest(_sizes, _centroids) with ordinality c (size, centroid, cluster)
    where c.size >= greatest(build_segmentation.drop_smaller_than, 1);

    if _kept is null then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('all segments have fewer than %s users', build_segmentation.drop_smaller_than),
            hint = 'Give a smaller drop_smaller_than.';
    end if;

    _clusters := array(
        select array_position(_kept, c.cluster) from unnest(_clusters) with ordinality c (cluster, n) order by c.n
    );

    if _previous is not null then
        select match_segments(_previous, o.clusters, o.segment_ids, o.users, _kept_centroids) into _ids
        from run_overlaps(
            _previous, _prototypes, _clusters, build_segmentation.filter, _left_out, build_segmentation.centered
        ) o;
    end if;

    select
        array_agg(coalesce(i.id, s.last_segment_id + i.new_ids) order by i.n),
        max(s.last_segment_id + i.new_ids)
    into _ids, _last_id
    from segmentations s
    cross join (
        select n, _ids[n] as id, count(*) filter (where _ids[n] is null) over (order by n) as new_ids
        from generate_subscripts(_kept, 1) n
    ) i
    where s.segmentation = build_segmentation.name;

    update segmentations s
    set
        last_segment_id = _last_id,
        suppress_below = coalesce(build_segmentation.suppress_below, s.suppress_below)
    where s.segmentation = build_segmentation.name;

    insert into segmentation_runs (
        segmentation, method, k, parameters, warm_start, users, unassigned, outliers, iterations, inertia,
        previous_run_id, average
    )
    values (
        build_segmentation.name,
        build_segmentation.method,
        cardinality(_kept),
        jsonb_build_object(
            'k', build_segmentation.k,
            'k_min', build_segmentation.k_min,
            'k_max', build_segmentation.k_max,
            'restarts', build_segmentation.restarts,
            'max_iterations', build_segmentation.max_iterations,
            'sample_size', build_segmentation.sample_size,
            'seed', build_segmentation.seed,
            'filter', build_segmentation.filter,
            'linkage', build_segmentation.linkage,
            'tolerance', build_segmentation.tolerance,
            'drop_smaller_than', build_segmentation.drop_smaller_than,
            'exclude_outliers', build_segmentation.exclude_outliers,
            'max_churn', build_segmentation.max_churn,
            'centered', build_segmentation.centered
        ),
        cardinality(_warm) > 0,
        _users,
        (select sum(s) from unnest(_sizes) s) - _users,
        cardinality(_left_out),
        _iterations,
        0,
        _previous,
        _average
    )
    returning segmentation_runs.run_id into run_id;

    perform report_progress('placing all users');
    call place_users(
        build_segmentation.run_id, _prototypes, _clusters, _ids, _kept_centroids, build_segmentation.filter, _left_out,
        build_segmentation.centered
    );

    insert into run_segments (run_id, segment_id, users, share, cohesion, nearest_segment_id, centroid)
    select
        build_segmentation.run_id,
        s.segment_id,
        m.users,
        m.users::double precision / _users,
        m.cohesion,
        (
            select o.segment_id
            from unnest(_ids, _kept_centroids) o (segment_id, centroid)
            where o.segment_id <> s.segment_id
            order by o.centroid <-> s.centroid, o.segment_id
            limit 1
        ),
        s.centroid
    from unnest(_ids, _kept_centroids) s (segment_id, centroid)
    join (
        select a.segment_id, count(*) as users, avg(a.similarity) as cohesion
        from segment_assignments a
        where a.run_id = build_segmentation.run_id
        group by a.segment_id
    ) m using (segment_id);

    update segmentation_runs r
    set inertia = i.inertia
    from (
        select sum(s.users * (1 + n.length ^ 2 - 2 * n.length * s.cohesion)) as inertia
        from run_segments s
        cross join lateral (select vector_norm(s.centroid) as length) n
        where s.run_id = build_segmentation.run_id
    ) i
    where r.run_id = build_segmentation.run_id;

    if build_segmentation.method = 'agglomerative' then
        insert into run_tree (run_id, node_id, parent_id, height, users, segment_id, centroid)
        select build_segmentation.run_id, n.node, n.parent, n.height, n.users, _ids[array_position(_kept, n.cluster)], n.centroid
        from unnest(
            _tree.node_parents, _tree.node_heights, _tree.node_users, _tree.node_clusters, _tree.node_centroids
        ) with ordinality n (parent, height, users, cluster, centroid, node);
    end if;

    if build_segmentation.describe then
        perform report_progress('describing the segments');
        call judge_run(build_segmentation.run_id, sample_size => _sample_to_judge);
        call describe_run(build_segmentation.run_id);
    end if;

    call record_lineage(build_segmentation.run_id, _previous);

    update segmentation_runs r
    set
        users_moved = c.users_moved,
        churn = c.users_moved / nullif(c.users, 0)::double precision,
        ari_to_previous = c.adjusted_rand_index,
        seconds = extract(epoch from clock_timestamp() - _started)
    from compare_runs(build_segmentation.run_id, _previous) c
    where r.run_id = build_segmentation.run_id
    returning r.churn into _churn;

    perform set_config('application_name', _application, true);

    if _churn > build_segmentation.max_churn then
        raise notice using
            message = format(
                'run %s of %L is stored but not published: %s %% of the users would move, more than max_churn',
                build_segmentation.run_id, build_segmentation.name, round((100 * _churn)::numeric, 1)
            ),
            hint = format('To publish it all the same: call publish_run(%s);', build_segmentation.run_id);
    else
        call publish_run(build_segmentation.run_id);
    end if;
end
$$;

comment on procedure build_segmentation(
    text, bigint, bigint, bigint, bigint, bigint, bigint, bigint, jsonb, text, text, double precision, vector[], boolean,
    bigint, double precision, double precision, bigint, boolean, boolean, bigint
) is
'Cuts the users into segments, and publishes them in segments, segment_members and the other views. k-means (kmeans) or
agglomerative clustering (agglomerative, with linkage ward or average) of users as seen from the average user, or with
centered => false of user_vectors as they are; without k, the elbow between k_min and k_max. A rebuild by k-means starts
from the published centroids, and without k from as many, unless warm_start is false or centered is not as it was.
Segments that continue one keep its segment_id and name; if more than max_churn of the users would move, the run is stored
but not published. Users of segments with fewer than drop_smaller_than users stay without one, and so does the share
exclude_outliers of users that are far from all others. Without describe, segments get no names, profiles and figures of
quality: call describe_run and judge_run for them. The result is the number of the run.
Example: call build_segmentation(''interests'');';
