-- Cuts the users into segments: finds centroids, gives their segments the ids they had, stores a run, publishes it.
--
-- It does not commit: a run becomes visible whole, with the caller's transaction. The row of the segmentation is locked
-- meanwhile, so that two builds of one follow each other; readers are not blocked.
create procedure build_segmentation(
    name text,
    -- How many segments, how made.
    k bigint default null,
    k_min bigint default 2,
    k_max bigint default 12,
    method text default 'kmeans',
    linkage text default 'ward',
    -- Of whom.
    filter jsonb default '{}',
    centered boolean default true,
    outlier_fraction double precision default 0,
    drop_smaller_than bigint default 0,
    -- Where k-means starts and ends.
    warm_start boolean default true,
    initial_centroids vector[] default null,
    restarts bigint default 3,
    max_iterations bigint default 50,
    tolerance double precision default 1e-4,
    sample_size bigint default 20000,
    seed bigint default 0,
    -- What readers see of it.
    max_churn double precision default null,
    suppress_below bigint default null,
    describe boolean default true,
    inout run_id bigint default null
)
language plpgsql
set search_path from current
as $$
#variable_conflict use_column
declare
    _started constant timestamptz := clock_timestamp();
    _application constant text := current_setting('application_name');
    _name constant text := normalize_text(build_segmentation.name);
    _parameters constant jsonb := jsonb_build_object(
        'k', build_segmentation.k,
        'k_min', build_segmentation.k_min,
        'k_max', build_segmentation.k_max,
        'method', build_segmentation.method,
        'linkage', build_segmentation.linkage,
        'filter', build_segmentation.filter,
        'centered', build_segmentation.centered,
        'outlier_fraction', build_segmentation.outlier_fraction,
        'drop_smaller_than', build_segmentation.drop_smaller_than,
        'warm_start', build_segmentation.warm_start,
        'restarts', build_segmentation.restarts,
        'max_iterations', build_segmentation.max_iterations,
        'tolerance', build_segmentation.tolerance,
        'sample_size', build_segmentation.sample_size,
        'seed', build_segmentation.seed,
        'max_churn', build_segmentation.max_churn,
        'suppress_below', build_segmentation.suppress_below,
        'describe', build_segmentation.describe
    );
    _average constant vector := (select a.embedding from average_user a where build_segmentation.centered);
    _previous bigint;
    _left_out bigint[] := '{}';
    _warm vector[] := '{}';
    _fit record;
    _ids bigint[];
begin
    perform check_segmentation(_name, _parameters, build_segmentation.initial_centroids);
    perform check_population(build_segmentation.filter, build_segmentation.centered);

    _previous := lock_segmentation(_name);

    if build_segmentation.outlier_fraction > 0 then
        perform report_progress('finding outliers');
        _left_out := array(
            select o.user_key
            from find_outliers(
                build_segmentation.outlier_fraction,
                filter => build_segmentation.filter,
                centered => build_segmentation.centered
            ) o
        );
    end if;

    if build_segmentation.warm_start and build_segmentation.method = 'kmeans'
        and build_segmentation.initial_centroids is null then
        _warm := warm_centroids(_previous, build_segmentation.centered);
    end if;

    select * into _fit
    from fit_segments(_parameters, coalesce(build_segmentation.initial_centroids, _warm), _left_out);

    _ids := number_segments(
        _name, _previous, _fit.prototypes, _fit.prototype_clusters, _fit.centroids, build_segmentation.filter,
        _left_out,
        build_segmentation.centered
    );

    insert into segmentation_runs (
        segmentation, method, k, parameters, warm_start, users, unassigned, outliers, iterations, inertia,
        previous_run_id, average
    )
    values (
        _name, build_segmentation.method, cardinality(_ids), _parameters, cardinality(_warm) > 0, _fit.users,
        _fit.unassigned, cardinality(_left_out), _fit.iterations, 0, _previous, _average
    )
    returning segmentation_runs.run_id into run_id;

    perform report_progress('placing all users');
    call place_users(
        build_segmentation.run_id, _fit.prototypes, _fit.prototype_clusters, _ids, _fit.centroids,
        build_segmentation.filter, _left_out, build_segmentation.centered
    );
    call store_segments(build_segmentation.run_id, _ids, _fit.centroids);
    call store_tree(
        build_segmentation.run_id, _ids, _fit.node_parents, _fit.node_heights, _fit.node_users, _fit.node_clusters,
        _fit.node_centroids
    );

    if build_segmentation.describe then
        perform report_progress('describing the segments');
        call judge_run(build_segmentation.run_id);
        call describe_run(build_segmentation.run_id);
    end if;

    call record_lineage(build_segmentation.run_id, _previous);

    update segmentations s
    set suppress_below = coalesce(build_segmentation.suppress_below, s.suppress_below)
    where s.segmentation = _name;

    call publish_unless_moved(build_segmentation.run_id, _previous, build_segmentation.max_churn);

    update segmentation_runs r
    set seconds = extract(epoch from clock_timestamp() - _started)
    where r.run_id = build_segmentation.run_id;

    perform set_config('application_name', _application, true);
end
$$;

comment on procedure build_segmentation(
    text, bigint, bigint, bigint, text, text, jsonb, boolean, double precision, bigint, boolean, vector[], bigint,
    bigint,
    double precision, bigint, bigint, double precision, bigint, boolean, bigint
) is
'Cuts the users into segments, and publishes them in segments, segment_members and the other views. k-means (kmeans) or
agglomerative clustering (agglomerative, with linkage ward or average) of users as seen from the average user, or with
centered => false of user_vectors as they are; without k, the elbow between k_min and k_max. A rebuild by k-means
starts from the published centroids, and without k from as many, unless warm_start is false or centered is not as it
was. Of many users k-means converges on a sample and has two rounds over all, unless sample_size is null. Segments that
continue one keep its segment_id and name; if more than max_churn of the users would move, the run is stored but not
published. Users of segments with fewer than drop_smaller_than users stay without one, and so does the share
outlier_fraction of users that are far from all others. Without describe, segments get no names, profiles and figures of
quality: call describe_run and judge_run for them. The result is the number of the run.
Example: call build_segmentation(''interests'');';
