-- How the users of each new cluster spread over the segments of an earlier run.
create function run_overlaps(
    previous_run_id bigint,
    prototypes vector[],
    prototype_clusters bigint[],
    filter jsonb,
    leave_out bigint[],
    centered boolean,
    out clusters bigint[],
    out segment_ids bigint[],
    out users bigint[]
)
language plpgsql
stable
parallel safe
set search_path from current
set jit = off
set enable_nestloop = off
as $$
begin
    execute format(
        'select array_agg(o.cluster), array_agg(o.segment_id), array_agg(o.users)
        from (
            select $5[c.cluster] as cluster, a.segment_id, count(*) as users
            from (%s) c
            join segment_assignments a on a.run_id = $6 and a.user_key = c.user_key
            group by 1, 2
        ) o',
        nearest_centroids(segmentation_points(centered => run_overlaps.centered), cardinality(run_overlaps.prototypes))
    )
    into clusters, segment_ids, users
    using
        run_overlaps.prototypes,
        half_squares(run_overlaps.prototypes),
        run_overlaps.filter,
        run_overlaps.leave_out,
        run_overlaps.prototype_clusters,
        run_overlaps.previous_run_id;
end
$$;

comment on function run_overlaps(bigint, vector[], bigint[], jsonb, bigint[], boolean) is
'Internal. How many users each new cluster shares with each segment of an earlier run, as three arrays side by side.
Example: select * from run_overlaps(1, array[embed(''ski'')], ''{1}'', ''{}'', ''{}'', true);';
