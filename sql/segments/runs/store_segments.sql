-- Writes down the segments of a run, whose users are placed already.
create procedure store_segments(
    run_id bigint,
    segment_ids bigint[],
    centroids vector[]
)
language plpgsql
set search_path from current
as $$
#variable_conflict use_column
begin
    insert into run_segments (run_id, segment_id, users, share, cohesion, nearest_segment_id, centroid)
    select
        store_segments.run_id,
        s.segment_id,
        m.users,
        m.users / sum(m.users) over ()::double precision,
        m.cohesion,
        (
            select o.segment_id
            from unnest(store_segments.segment_ids, store_segments.centroids) o (segment_id, centroid)
            where o.segment_id <> s.segment_id
            order by o.centroid <-> s.centroid, o.segment_id
            limit 1
        ),
        s.centroid
    from unnest(store_segments.segment_ids, store_segments.centroids) s (segment_id, centroid)
    join (
        select a.segment_id, count(*) as users, avg(a.similarity) as cohesion
        from segment_assignments a
        where a.run_id = store_segments.run_id
        group by a.segment_id
    ) m using (segment_id);

    -- The squared distance of unit vectors to a centroid is 1 + |c|² - 2 |c| cos.
    update segmentation_runs r
    set inertia = i.inertia
    from (
        select sum(s.users * (1 + n.length ^ 2 - 2 * n.length * s.cohesion)) as inertia
        from run_segments s
        cross join lateral (select vector_norm(s.centroid) as length) n
        where s.run_id = store_segments.run_id
    ) i
    where r.run_id = store_segments.run_id;
end
$$;

comment on procedure store_segments(bigint, bigint[], vector[]) is
'Internal. Writes the segments of a run into run_segments, given their numbers and centroids, and its inertia into
segmentation_runs.
Example: call store_segments(0, ''{}'', ''{}'');';
