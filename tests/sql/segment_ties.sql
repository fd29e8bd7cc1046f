-- What is alike comes in an order that is always the same, whoever was loaded first: two twins of ann, b before a.
insert into activity_input values ('twin b', 'Ski Aspen', 6), ('twin b', 'Ski Whistler', 5);
insert into activity_input values ('twin a', 'Ski Aspen', 6), ('twin a', 'Ski Whistler', 5);
call refresh();

-- k-means stops when the centroids stand still, long before its 50 rounds are over.
call build_segmentation('ties', k => 3, k_max => 4);
select k, iterations, users, round(inertia::numeric, 3) as inertia, round(silhouette::numeric, 3) as silhouette,
    round(simplified_silhouette::numeric, 3) as simplified, round(davies_bouldin::numeric, 3) as davies_bouldin,
    round(calinski_harabasz::numeric, 3) as calinski_harabasz
from segmentation_runs;
select segment_id, name, users, nearest_segment_id from segments order by segment_id;
select kind, user_id, round(similarity::numeric, 3) as similarity from segment_examples('ties', 1, k => 2);
select rank, user_id, round(distance::numeric, 3) as distance from find_outliers(fraction => 1, repeats => 2);
select user_id, segment_id from segment_members order by segment_id, user_id;

-- Centroids at the same distance from each other and from a vector: the lowest number wins.
insert into segmentations (segmentation) values ('even');
insert into segmentation_runs (segmentation, method, k, parameters, warm_start, users, iterations, inertia)
select 'even', 'kmeans', 3, '{}', false, 3, 1, 0
returning run_id \gset
insert into segment_assignments (run_id, user_key, segment_id, similarity)
select :run_id, u.user_key, u.user_key, 1
from users u
where u.user_key <= 3;
call store_segments(:run_id, '{3,2,1}', array['[1,0,0]', '[0,1,0]', '[0,0,1]']::vector[]);
select segment_id, users, share, nearest_segment_id from run_segments where run_id = :run_id order by segment_id;
update segmentations set published_run_id = :run_id where segmentation = 'even';
select segment_id, round(similarity::numeric, 3) as similarity, runner_up_id, margin
from assign_segment('even', '[1,1,1]'::vector);

-- Two new clusters that share as many users with one segment of before: the first continues it. One that shares less than
-- half of the smaller of the two continues none.
select match_segments(:run_id, '{2,1}', '{1,1}', '{5,5}', array['[0,0,1]', '[0,0,1]']::vector[]) as halves,
    match_segments(:run_id, '{1,1,2,2}', '{1,2,1,2}', '{6,4,4,6}', array['[0,0,1]', '[0,0,1]']::vector[]) as most,
    match_segments(:run_id, '{1,1,1}', '{1,2,3}', '{49,49,2}', array['[1,1,1]']::vector[]) as tie,
    match_segments(:run_id, '{}', '{}', '{}', array['[0,0.2,0.9]', '[1,1,1]']::vector[]) as by_centroid;

-- Clusters at the same distance from each other: those with the lowest numbers merge first.
select node_id, parent_id, round(height::numeric, 3) as height, users
from merge_clusters(array['[1,0,0]', '[0,1,0]', '[0,0,1]']::vector[], '{1,1,1}');
