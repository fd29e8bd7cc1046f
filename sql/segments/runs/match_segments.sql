-- Which of the segments of an earlier run each new cluster is: null where it is none of them.
--
-- Pairs are matched one to one, the largest Jaccard index first; they must share at least half of the smaller one. If
-- no user is in both runs, the centroids decide.
create function match_segments(
    previous_run_id bigint,
    clusters bigint[],
    previous_segment_ids bigint[],
    users bigint[],
    centroids vector[]
)
returns bigint[]
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _least_similarity constant double precision := 0.95;
    _k constant integer := cardinality(match_segments.centroids);
    _matched bigint[] := array_fill(null::bigint, array[_k]);
    _pair record;
begin
    for _pair in
        with shared as (
            select s.cluster, s.segment_id, s.users
            from unnest(match_segments.clusters, match_segments.previous_segment_ids, match_segments.users)
                s (cluster, segment_id, users)
        ),
        pairs as (
            select
                c.cluster,
                p.segment_id,
                coalesce(s.users, 0) as users,
                coalesce(sum(s.users) over (partition by c.cluster), 0) as users_of_cluster,
                coalesce(sum(s.users) over (partition by p.segment_id), 0) as users_of_segment,
                sum(s.users) over () is null as strangers,
                1 - (c.centroid <=> p.centroid) as similarity
            from unnest(match_segments.centroids) with ordinality c (centroid, cluster)
            cross join run_segments p
            left join shared s on (s.cluster, s.segment_id) = (c.cluster, p.segment_id)
            where p.run_id = match_segments.previous_run_id
        )
        select p.cluster, p.segment_id
        from pairs p
        where (p.users > 0 and 2 * p.users >= least(p.users_of_cluster, p.users_of_segment))
            or (p.strangers and p.similarity >= _least_similarity)
        order by
            p.users::double precision / nullif(p.users_of_cluster + p.users_of_segment - p.users, 0) desc nulls last,
            p.similarity desc,
            p.segment_id,
            p.cluster
    loop
        if _matched[_pair.cluster] is null and _pair.segment_id <> all (array_remove(_matched, null)) then
            _matched[_pair.cluster] := _pair.segment_id;
        end if;
    end loop;

    return _matched;
end
$$;

comment on function match_segments(bigint, bigint[], bigint[], bigint[], vector[]) is
'Internal. For each centroid of a new clustering the segment of an earlier run that it continues, null if none:
clusters, previous_segment_ids and users say how many users each pair shares.
Example: select match_segments(1, ''{1, 1, 2}'', ''{1, 2, 2}'', ''{4, 1, 5}'', array_agg(centroid)) from run_segments;';
