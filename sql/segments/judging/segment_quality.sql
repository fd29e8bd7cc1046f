-- How good the segments of a segmentation are.
create function segment_quality(
    segmentation text,
    sample_size bigint default 1000
)
returns table (
    segment_id bigint,
    segment text,
    users bigint,
    inertia double precision,
    cohesion double precision,
    silhouette double precision,
    simplified_silhouette double precision,
    davies_bouldin double precision,
    calinski_harabasz double precision
)
language plpgsql
stable
parallel safe
set search_path from current
as $$
#variable_conflict use_column
declare
    _run_id constant bigint := published_run(segment_quality.segmentation);
begin
    return query
    select
        q.segment_id,
        coalesce(n.name, s.name),
        q.users,
        q.inertia,
        q.cohesion,
        q.silhouette,
        q.simplified_silhouette,
        q.davies_bouldin,
        q.calinski_harabasz
    from run_quality(_run_id, segment_quality.sample_size) q
    left join run_segments s on (s.run_id, s.segment_id) = (_run_id, q.segment_id)
    left join segment_names n on (n.segmentation, n.segment_id) = (segment_quality.segmentation, q.segment_id)
    order by q.segment_id nulls first;
end
$$;

comment on function segment_quality(text, bigint) is
'How good the published segments of a segmentation are: a row of all with segment_id null, then one a segment. inertia
is the sum of squared Euclidean distances to the centroid, cohesion the mean cosine to it. The silhouette, -1 to 1, is
exact on a sample, the simplified one is of all users, from distances to centroids alone. Davies-Bouldin (lower is
better; of a segment, its term of the mean) and Calinski-Harabasz (higher is better) are of all users.
Example: select segment_id, segment, users, silhouette, davies_bouldin from segment_quality(''interests'');';
